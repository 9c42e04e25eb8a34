package dev.tidestream.server.bench.wire;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.Collectors;

import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.tokenizer.Tokenizer;

/** The tokenizer of {@link NullModel}: a token for each UTF-8 byte of a prompt, and a word of four letters for each token. No end. */
final class NullTokenizer implements Tokenizer {

    @Override
    public int vocabularySize() {
        return NullModel.VOCABULARY;
    }

    @Override
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = Byte.toUnsignedInt(bytes[i]);
        }
        return tokens;
    }

    @Override
    public byte[] tokenBytes(int id) {
        return word(id).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public String decode(int[] ids) {
        return Arrays.stream(ids).mapToObj(NullTokenizer::word).collect(Collectors.joining());
    }

    private static String word(int id) {
        return new String(new char[] {' ', 'w', (char) ('a' + id / 16), (char) ('a' + id % 16)});
    }

    @Override
    public IncrementalDetokenizer newDetokenizer() {
        return new IncrementalDetokenizer() {
            @Override
            public String append(int token) {
                return word(token);
            }

            @Override
            public String flush() {
                return "";
            }
        };
    }

    @Override
    public OptionalInt bosToken() {
        return OptionalInt.empty();
    }

    @Override
    public boolean isEndOfGeneration(int id) {
        return false;
    }
}
