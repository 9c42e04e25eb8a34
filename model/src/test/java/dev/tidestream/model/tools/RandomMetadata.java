package dev.tidestream.model.tools;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufMetadata;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.GgufValueType;
import dev.tidestream.model.gguf.ModelSource;

/** What a file of random weights says of itself, for each family. */
final class RandomMetadata {
    /** Families by the name of their architecture, and {@code mistral}: a LLaMA with a window. */
    static final List<String> FAMILIES =
            List.of("llama", "mistral", "qwen2", "qwen3", "gpt2", "gemma", "gemma2", "gemma3", "smollm3", "phi3",
            "bitnet", "bitnet-25", "bitnet-b1.58");

    private final Map<String, String> options;
    private final String family;
    private final SequencedMap<String, GgufValue> values = new LinkedHashMap<>();

    RandomMetadata(Map<String, String> options) {
        this.options = options;
        this.family = options.getOrDefault("arch", "llama");
        if (!FAMILIES.contains(family)) {
            throw new IllegalArgumentException("arch must be one of %s: %s".formatted(FAMILIES, family));
        }
        string("general.architecture", architecture());
        string("general.name", "random " + family + " " + options.getOrDefault("format", "q4_0"));
        shape();
        special();
        tokenizer();
    }

    /** All of it. */
    SequencedMap<String, GgufValue> values() {
        return values;
    }

    int hidden() {
        return number("hidden", 2048);
    }

    private String architecture() {
        return family.equals("mistral") ? "llama" : family;
    }

    private int number(String name, int standard) {
        return Integer.parseInt(options.getOrDefault(name, String.valueOf(standard)));
    }

    private int heads() {
        return number("heads", 32);
    }

    private int headDim() {
        return number("head-dim", hidden() / heads());
    }

    private void shape() {
        integer("block_count", number("layers", 16));
        integer("context_length", number("context", 16_384));
        integer("embedding_length", hidden());
        integer("feed_forward_length", number("ff", 8192));
        integer("attention.head_count", heads());
        if (family.equals("gpt2")) {
            float32("attention.layer_norm_epsilon", 1e-5f);
            return;
        }
        integer("attention.head_count_kv", number("kv-heads", 8));
        integer("attention.key_length", headDim());
        integer("attention.value_length", headDim());
        integer("rope.dimension_count", headDim());
        integer("vocab_size", number("vocab", 128_256));
        float32("rope.freq_base", family.startsWith("gemma") ? 10_000f : 500_000f);
        float32("attention.layer_norm_rms_epsilon", 1e-5f);
    }

    private void special() {
        switch (family) {
            case "mistral" -> integer("attention.sliding_window", number("window", 4096));
            case "gemma2" -> {
                integer("attention.sliding_window", number("window", 512));
                float32("attn_logit_softcapping", 50f);
                float32("final_logit_softcapping", 30f);
            }
            case "gemma3" -> integer("attention.sliding_window", number("window", 512));
            default -> { }
        }
    }

    /** A byte-level vocabulary: the 256 bytes, one merge (some engines want one), and names for the rest. */
    private void tokenizer() {
        int vocab = number("vocab", 128_256);
        List<String> tokens = new ArrayList<>();
        int spare = 256;
        for (int b = 0; b < 256; b++) { // GPT-2's alphabet: printable bytes as they are, the others from U+0100 on
            boolean printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
            tokens.add(String.valueOf((char) (printable ? b : spare++)));
        }
        tokens.add("th");
        while (tokens.size() < vocab) {
            tokens.add("<" + tokens.size() + ">");
        }
        int[] types = new int[vocab];
        for (int i = 0; i < vocab; i++) {
            types[i] = i >= vocab - 2 ? 3 : 1; // control, normal
        }
        string("tokenizer.ggml.model", "gpt2");
        string("tokenizer.ggml.pre", family.equals("gpt2") ? "gpt-2" : family.startsWith("qwen") ? "qwen2" : "llama-bpe");
        values.put("tokenizer.ggml.tokens", GgufValue.ArrayValue.ofStrings(tokens.subList(0, vocab)));
        values.put("tokenizer.ggml.token_type", GgufValue.ArrayValue.ofInts(types));
        values.put("tokenizer.ggml.merges", GgufValue.ArrayValue.ofStrings(List.of("t h")));
        values.put("tokenizer.ggml.bos_token_id", new GgufValue.IntegerValue(GgufValueType.U32, vocab - 2));
        values.put("tokenizer.ggml.eos_token_id", new GgufValue.IntegerValue(GgufValueType.U32, vocab - 1));
    }

    private void string(String key, String value) {
        values.put(key, new GgufValue.StringValue(value));
    }

    private void integer(String name, int value) {
        values.put(architecture() + "." + name, new GgufValue.IntegerValue(GgufValueType.U32, value));
    }

    private void float32(String name, float value) {
        values.put(architecture() + "." + name, new GgufValue.FloatValue(GgufValueType.F32, value));
    }

    /** As much of a model as an architecture looks at to say which tensors it has. */
    ModelSource sketch(Path path) {
        SequencedMap<String, GgufTensor> tensors = new LinkedHashMap<>();
        put(tensors, "token_embd.weight", GgmlType.F32, hidden(), number("vocab", 128_256));
        if (family.equals("gpt2")) {
            put(tensors, "position_embd.weight", GgmlType.F32, hidden(), number("context", 16_384));
        }
        if (options.getOrDefault("tied", "true").equals("false")) {
            put(tensors, "output.weight", GgmlType.F16, hidden(), number("vocab", 128_256)); // of another type, so not the embedding again
        }
        for (int layer = 0; layer < number("layers", 16); layer++) {
            put(tensors, "blk.%d.attn_norm.weight".formatted(layer), GgmlType.F32, hidden());
        }
        return new Sketch(path, GgufMetadata.of("random", values), tensors);
    }

    private static void put(Map<String, GgufTensor> tensors, String name, GgmlType type, long... dimensions) {
        List<Long> all = Arrays.stream(dimensions).boxed().toList();
        tensors.put(name, new GgufTensor(name, type, all, 0, type.bytes(all.stream().reduce(1L, (a, b) -> a * b))));
    }

    /** A model without data. */
    private record Sketch(Path path, GgufMetadata metadata, Map<String, GgufTensor> tensors) implements ModelSource {
        @Override
        public String format() {
            return "a sketch";
        }

        @Override
        public List<Path> parts() {
            return List.of(path);
        }

        @Override
        public int part(GgufTensor tensor) {
            return 0;
        }

        @Override
        public MemorySegment data(GgufTensor tensor, SegmentAllocator made) {
            return made.allocate(tensor.bytes(), 64).fill((byte) tensor.name().hashCode()); // no two tensors are the same
        }

        @Override
        public void willNeed(GgufTensor tensor) { }

        @Override
        public void release(GgufTensor tensor) { }

        @Override
        public void releaseAll() { }

        @Override
        public long fileBytes() {
            return 0;
        }

        @Override
        public Optional<FileTime> modified() {
            return Optional.empty();
        }

        @Override
        public String sha256() {
            throw new UnsupportedOperationException("a sketch has no data");
        }

        @Override
        public void identify(String knownSha256) { }

        @Override
        public String sampleHash() {
            throw new UnsupportedOperationException("a sketch has no data");
        }

        @Override
        public void close() { }
    }
}
