package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufWriter;
import dev.tidestream.model.tensor.RandomWeights;

/** Small LLaMA files with random weights, well-formed or with one thing changed. */
public final class RandomLlama {
    private static final long SEED = 11;
    private static final int VOCABULARY = 100;
    private static final int HIDDEN = 64;
    private static final int LAYERS = 2;
    private static final int FEED_FORWARD = 96;
    private static final int KV = 32;

    private final TensorFormat format;
    private final Map<String, Object> metadata = new HashMap<>(Map.of(
            "general.architecture", "llama",
            "llama.embedding_length", HIDDEN,
            "llama.block_count", LAYERS,
            "llama.feed_forward_length", FEED_FORWARD,
            "llama.context_length", 128,
            "llama.attention.head_count", 4,
            "llama.attention.head_count_kv", 2,
            "llama.attention.layer_norm_rms_epsilon", 1e-5f));
    private final Set<String> left = new HashSet<>();
    private final Map<String, long[]> shapes = new HashMap<>();
    private final Map<String, GgmlType> types = new HashMap<>();
    private final Set<String> huge = new HashSet<>();
    private final Set<String> nan = new HashSet<>();
    private float[] ropeFactors = {};
    private boolean untied;
    private boolean twice;
    private boolean tame;

    public RandomLlama(TensorFormat format) {
        this.format = format;
    }

    /** Also with this metadata: an integer, a float, a truth, integers, texts, or else a text. */
    public RandomLlama with(String key, Object value) {
        metadata.put(key, value);
        return this;
    }

    RandomLlama without(String tensor) {
        left.add(tensor);
        return this;
    }

    public RandomLlama shaped(String tensor, long... shape) {
        shapes.put(tensor, shape);
        return this;
    }

    public RandomLlama typed(String tensor, GgmlType type) {
        types.put(tensor, type);
        return this;
    }

    /** Has a norm whose weights are as large as they can be, so that no logit is finite. */
    public RandomLlama huge(String norm) {
        huge.add(norm);
        return this;
    }

    /** Has a norm with a weight that is no number. */
    RandomLlama nan(String norm) {
        nan.add(norm);
        return this;
    }

    RandomLlama ropeFactors(float... factors) {
        ropeFactors = factors;
        return this;
    }

    public RandomLlama untied() {
        untied = true;
        return this;
    }

    /** Has the embedding once more as the output matrix, byte for byte, at the end of the file. */
    public RandomLlama twice() {
        twice = true;
        return this;
    }

    /** Has scales of one common size: with some as large as they can be, as they are else, most logits are not finite. */
    public RandomLlama tame() {
        tame = true;
        return this;
    }

    public GgufFile file() {
        byte[] bytes = bytes();
        MemorySegment image = Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
        return GgufFile.of(image, "random.gguf");
    }

    /** The file as it stands on disk; the same weights every time. */
    public byte[] bytes() {
        return writer().toByteArray();
    }

    /** The same model in several files. */
    public List<byte[]> split(int parts) {
        return writer().split(parts);
    }

    private GgufWriter writer() {
        GgufWriter writer = new GgufWriter();
        metadata.forEach((key, value) -> {
            switch (value) {
                case Integer number -> writer.u32(key, number);
                case Float number -> writer.float32(key, number);
                case Long number -> writer.u64(key, number);
                case Boolean truth -> writer.bool(key, truth);
                case int[] numbers -> writer.ints(key, numbers);
                case List<?> texts -> writer.strings(key, texts.stream().map(String::valueOf).toList());
                default -> writer.string(key, value.toString());
            }
        });
        SplittableRandom random = new SplittableRandom(SEED);
        matrix(writer, "token_embd.weight", HIDDEN, VOCABULARY, random);
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "blk." + layer + ".";
            norm(writer, prefix + "attn_norm.weight");
            matrix(writer, prefix + "attn_q.weight", HIDDEN, HIDDEN, random);
            matrix(writer, prefix + "attn_k.weight", HIDDEN, KV, random);
            matrix(writer, prefix + "attn_v.weight", HIDDEN, KV, random);
            matrix(writer, prefix + "attn_output.weight", HIDDEN, HIDDEN, random);
            norm(writer, prefix + "ffn_norm.weight");
            matrix(writer, prefix + "ffn_gate.weight", HIDDEN, FEED_FORWARD, random);
            matrix(writer, prefix + "ffn_up.weight", HIDDEN, FEED_FORWARD, random);
            matrix(writer, prefix + "ffn_down.weight", FEED_FORWARD, HIDDEN, random);
        }
        norm(writer, "output_norm.weight");
        if (ropeFactors.length > 0) {
            writer.tensor("rope_freqs.weight", ropeFactors, ropeFactors.length);
        }
        if (untied) {
            matrix(writer, "output.weight", HIDDEN, VOCABULARY, random);
        }
        if (twice) {
            matrix(writer, "output.weight", HIDDEN, VOCABULARY, new SplittableRandom(SEED));
        }
        return writer;
    }

    private void norm(GgufWriter writer, String name) {
        GgmlType type = types.get(name);
        if (left.contains(name)) {
            return;
        }
        if (type != null) {
            writer.tensor(name, type, new byte[Math.toIntExact(type.bytes(HIDDEN))], HIDDEN);
            return;
        }
        float[] ones = new float[HIDDEN];
        Arrays.fill(ones, huge.contains(name) ? Float.MAX_VALUE : 1f);
        if (nan.contains(name)) {
            ones[3] = Float.NaN;
        }
        writer.tensor(name, ones, HIDDEN);
    }

    private void matrix(GgufWriter writer, String name, int columns, int rows, SplittableRandom random) {
        if (left.contains(name)) {
            return;
        }
        long[] shape = shapes.getOrDefault(name, new long[] {columns, rows});
        GgmlType type = types.getOrDefault(name, GgmlType.valueOf(format.name()));
        if (types.containsKey(name)) {
            writer.tensor(name, type, new byte[Math.toIntExact(type.bytes(shape[0] * shape[1]))], shape);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = RandomWeights.rowMajor(format, (int) shape[1], (int) shape[0], random, arena);
            if (tame) {
                tame(data);
            }
            writer.tensor(name, type, data, shape);
        }
    }

    private void tame(MemorySegment data) {
        short scale = Float.floatToFloat16(0.01f);
        switch (format) {
            case Q8_0, Q4_0, IQ4_NL, Q5_0 -> {
                for (long at = 0; at < data.byteSize(); at += format.blockBytes()) {
                    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, scale);
                }
            }
            case Q4_1, Q5_1 -> {
                for (long at = 0; at < data.byteSize(); at += format.blockBytes()) {
                    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, scale);
                    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + Short.BYTES, Float.floatToFloat16(-0.08f));
                }
            }
            case F16 -> {
                for (long at = 0; at < data.byteSize(); at += Short.BYTES) {
                    if (Math.abs(Float.float16ToFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, at))) > 1) {
                        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, scale);
                    }
                }
            }
            case F32, BF16 -> {} // they are
            case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TQ1_0, TQ2_0, I2_S -> throw new IllegalArgumentException("too narrow for " + format);
        }
    }
}
