package dev.tidestream.model.tokenizer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufException;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.GgufValueType;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Files with flipped bytes in their metadata: refused in words, or a tokenizer that works on whatever it was given. */
class TokenizerMutationTest {
    private static final String TEXT = "Hello, y'all! <s> <|endoftext|> 1234 \u0000 é🦙\n\n  end";
    private static final int FILES = 1_000;
    private static final List<String> OTHER_KEYS = Stream.of(
            "add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces", "precompiled_charsmap",
            "bos_token_id", "eot_token_id", "unknown_token_id", "padding_token_id", "model", "pre")
            .map(key -> "tokenizer.ggml." + key).toList();
    private static final List<GgufValue> OTHER_VALUES = List.of(new GgufValue.BoolValue(true), new GgufValue.BoolValue(false),
            new GgufValue.StringValue(""), new GgufValue.StringValue("t5"), new GgufValue.StringValue("llama"),
            new GgufValue.StringValue("gpt2"),
            new GgufValue.StringValue("jais-2"), new GgufValue.IntegerValue(GgufValueType.U32, 0xffff_ffffL),
            new GgufValue.IntegerValue(GgufValueType.U32, 3), new GgufValue.IntegerValue(GgufValueType.I32, -1),
            new GgufValue.FloatValue(GgufValueType.F32, Double.NaN), GgufValue.ArrayValue.ofStrings(List.of()),
            GgufValue.ArrayValue.ofStrings(List.of("a", "", "a b", "\u0000")), GgufValue.ArrayValue.ofInts(1, -1, 1 << 30),
            GgufValue.ArrayValue.ofFloats(Float.NaN, 1), GgufValue.ArrayValue.ofBytes((byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) 1));

    @ParameterizedTest
    @ValueSource(strings = {"models/stories260K/stories260K.gguf", "golden/models/gpt2/gguf/gpt2-Q4_0.gguf"})
    void shouldRefuseOrWork(String path) throws IOException {
        byte[] original = Files.readAllBytes(SharedData.path(path));
        int metadataBytes = indexOf(original, "token_embd");
        int worked = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(original.length, 8);
            for (long seed = 0; seed < FILES; seed++) {
                image.copyFrom(MemorySegment.ofArray(original));
                Random random = new Random(seed);
                for (int flips = 1 + random.nextInt(30); flips > 0; flips--) {
                    image.set(ValueLayout.JAVA_BYTE, 24 + random.nextInt(metadataBytes - 24), (byte) random.nextInt(256));
                }
                worked += works(image, "seed=" + seed) ? 1 : 0;
            }
        }
        assertTrue(worked > 0 && worked < FILES, "worked=" + worked);
    }

    /** Keys missing, and with values of other types. */
    @ParameterizedTest
    @ValueSource(strings = {"models/stories260K/stories260K.gguf", "golden/models/gpt2/gguf/gpt2-Q4_0.gguf"})
    void shouldRefuseOrWorkWithOtherValues(String path) {
        int worked = 0;
        try (GgufFile file = GgufFile.open(SharedData.path(path))) {
            List<String> keys = file.metadata().keys().stream().filter(key -> key.startsWith("tokenizer.ggml.")).sorted().toList();
            for (long seed = 0; seed < FILES; seed++) {
                Map<String, GgufValue> values = new LinkedHashMap<>();
                file.metadata().keys().forEach(key -> values.put(key, file.metadata().value(key)));
                Random random = new Random(seed);
                for (int changes = 1 + random.nextInt(2); changes > 0; changes--) {
                    List<String> from = random.nextInt(3) == 0 ? OTHER_KEYS : keys;
                    String key = from.get(random.nextInt(from.size()));
                    GgufValue value = OTHER_VALUES.get(random.nextInt(OTHER_VALUES.size()));
                    if (random.nextInt(4) == 0) {
                        values.remove(key);
                    } else {
                        values.put(key, random.nextBoolean() ? value : values.get(keys.get(random.nextInt(keys.size()))));
                    }
                    values.values().removeIf(Objects::isNull);
                }
                worked += works(() -> GgufMetadata.of("mutated", values), "seed=" + seed) ? 1 : 0;
            }
        }
        assertTrue(worked > 0 && worked < FILES, "worked=" + worked);
    }

    private static boolean works(MemorySegment image, String message) {
        return works(() -> {
            try (GgufFile file = GgufFile.of(image, "mutated.gguf")) {
                return file.metadata();
            }
        }, message);
    }

    private static boolean works(Supplier<GgufMetadata> metadata, String message) {
        Tokenizer tokenizer;
        try {
            tokenizer = GgufTokenizer.tokenizer(metadata.get());
        } catch (GgufException | TokenizerException e) {
            assertNotNull(e.getMessage(), message);
            return false;
        }
        IncrementalDetokenizer detokenizer = tokenizer.newDetokenizer(new int[0]);
        StringBuilder streamed = new StringBuilder();
        int[] ids = tokenizer.encode(TEXT, true, true);
        for (int id : ids) {
            assertTrue(id >= 0 && id < tokenizer.vocabularySize(), message);
            streamed.append(detokenizer.append(id));
        }
        assertEquals(tokenizer.decode(ids), streamed + detokenizer.flush(), message);
        return true;
    }

    private static int indexOf(byte[] bytes, String text) {
        int index = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
        assertTrue(index > 0, text);
        return index;
    }
}
