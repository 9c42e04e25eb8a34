package dev.tidestream.server;

import java.util.OptionalInt;

import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.tokenizer.Tokenizer;

/** ASCII: a token is a character; 0 ends generation. No BOS. */
public class FakeTokenizer implements Tokenizer {
    @Override
    public int vocabularySize() {
        return FakeLanguageModel.VOCABULARY;
    }

    @Override
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        return text.chars().map(c -> c < vocabularySize() ? c : '?').toArray();
    }

    @Override
    public long leastTokens(String text) {
        return text.length();
    }

    @Override
    public byte[] tokenBytes(int id) {
        return id == 0 ? new byte[0] : new byte[] {(byte) id};
    }

    @Override
    public String decode(int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(id == 0 ? "" : Character.toString(id));
        }
        return text.toString();
    }

    @Override
    public IncrementalDetokenizer newDetokenizer() {
        return new IncrementalDetokenizer() {
            @Override
            public String append(int token) {
                return decode(new int[] {token});
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
        return id == 0;
    }
}
