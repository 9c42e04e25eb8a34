package dev.tidestream.model.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Streams of random ids: nothing lost, nothing half, whatever the bytes. */
class DetokenizerPropertyTest {
    /** Bytes at which decoders of UTF-8 differ: ends of ranges, overlong forms, surrogates, beyond U+10FFFF. */
    private static final int[] DIFFICULT = {
        0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1,
        0xF3, 0xF4, 0xF5, 0xFF
    };

    @Test
    void shouldJoinToTheTextOfAllBytes() {
        Tokenizer tokenizer = byteTokenizer();
        for (long seed = 0; seed < 100_000; seed++) {
            Random random = new Random(seed);
            int[] ids = IntStream.generate(() -> DIFFICULT[random.nextInt(DIFFICULT.length)]).limit(random.nextInt(9)).toArray();
            checkStream(tokenizer, ids, "seed=" + seed);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "starter/starter-q8_0.gguf",
        "models/stories260K/stories260K.gguf",
        "vectors/tokenizer/ggml-vocab-gpt-2.gguf",
        "vectors/tokenizer/ggml-vocab-llama-spm.gguf"
    })
    void shouldJoinToTheTextOfRandomTokens(String gguf) {
        Tokenizer tokenizer = Golden.tokenizer(gguf);
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            int bound = seed % 2 == 0 ? tokenizer.vocabularySize() : 260; // half of them mostly single bytes
            int[] ids = random.ints(random.nextInt(60), 0, bound).toArray();
            checkStream(tokenizer, ids, "seed=" + seed);
        }
    }

    @Test
    void shouldWithholdUntilACharacterIsComplete() {
        IncrementalDetokenizer detokenizer = byteTokenizer().newDetokenizer();
        assertEquals("", detokenizer.append(0xF0));
        assertEquals("", detokenizer.append(0x9F));
        assertEquals("", detokenizer.append(0xA6));
        assertEquals("🦙", detokenizer.append(0x99));
        assertEquals("", detokenizer.append(0xE2));
        assertEquals("\uFFFDx", detokenizer.append('x'));
        assertEquals("", detokenizer.append(0xE2));
        assertEquals("", detokenizer.append(0x82));
        assertEquals("\uFFFD", detokenizer.flush());
        assertEquals("", detokenizer.flush());
        assertEquals("y", detokenizer.append('y'));
    }

    @Test
    void shouldRefuseIdsOutsideTheVocabulary() {
        Tokenizer tokenizer = byteTokenizer();
        assertThrows(IllegalArgumentException.class, () -> tokenizer.tokenBytes(256));
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {-1}));
    }

    private static void checkStream(Tokenizer tokenizer, int[] ids, String message) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StringBuilder streamed = new StringBuilder();
        StringBuilder whole = new StringBuilder();
        IncrementalDetokenizer continuing = tokenizer.newDetokenizer();
        IncrementalDetokenizer starting = tokenizer.newDetokenizer(new int[0]);
        for (int id : ids) {
            bytes.writeBytes(tokenizer.tokenBytes(id));
            String piece = continuing.append(id);
            assertWhole(piece, message);
            streamed.append(piece);
            whole.append(starting.append(id));
        }
        streamed.append(continuing.flush());
        whole.append(starting.flush());
        assertEquals(bytes.toString(StandardCharsets.UTF_8), streamed.toString(), message);
        assertEquals(tokenizer.decode(ids), whole.toString(), message);
    }

    private static void assertWhole(String piece, String message) {
        if (!piece.isEmpty()) {
            assertFalse(Character.isLowSurrogate(piece.charAt(0)), message);
            assertFalse(Character.isHighSurrogate(piece.charAt(piece.length() - 1)), message);
        }
    }

    /** Token {@code b} is byte {@code b}. */
    private static Tokenizer byteTokenizer() {
        byte[] all = new byte[256];
        IntStream.range(0, 256).forEach(b -> all[b] = (byte) b);
        List<String> tokens = ByteAlphabet.textOf(all).chars().mapToObj(Character::toString).toList();
        Tokenizer tokenizer = new ModelTokenizer(Specs.of(
                new TokenizerSpec.BytePair(TokenizerSpec.Symbols.BYTES, List.of(), false, false, false), tokens,
                Collections.nCopies(256, TokenType.NORMAL), OptionalInt.empty()));
        assertArrayEquals(new byte[] {(byte) 0xAD}, tokenizer.tokenBytes(0xAD));
        return tokenizer;
    }
}
