package dev.tidestream.model.tools;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Writes a GGUF file of the LLaMA architecture with random weights, for measuring speed: any shape, tied, in one format or mixed like
 * a Q4_K_M file. Text that it generates means nothing; any engine can load it. Needs a JDK and nothing else:
 *
 * <pre>{@code
 * java model/src/test/java/dev/tidestream/model/tools/RandomModelFile.java out=random-1b-q4_0.gguf format=q4_0
 * java .../RandomModelFile.java out=small.gguf format=f16 vocab=32000 hidden=512 layers=4 heads=8 kv-heads=4 ff=1536 context=2048
 * }</pre>
 *
 * The defaults are the shape of Llama-3.2-1B. Formats: f32, f16, bf16, q8_0, q4_0, q4_k, q5_k, q6_k, q4_k_m.
 */
final class RandomModelFile {
    private static final int ALIGNMENT = 32;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;

    private final Map<String, String> options;
    private final SplittableRandom random = new SplittableRandom(1);
    private final List<Tensor> tensors = new ArrayList<>();

    /** How an element type is stored: ggml's number, elements and bytes of a block. */
    private enum Type {
        F32(0, 1, 4),
        F16(1, 1, 2),
        BF16(30, 1, 2),
        Q8_0(8, 32, 34),
        Q4_0(2, 32, 18),
        Q4_K(12, 256, 144),
        Q5_K(13, 256, 176),
        Q6_K(14, 256, 210);

        private final int id;
        private final int elements;
        private final int bytes;

        Type(int id, int elements, int bytes) {
            this.id = id;
            this.elements = elements;
            this.bytes = bytes;
        }
    }

    private record Tensor(String name, Type type, long columns, long rows) {
        long bytes() {
            return columns * Math.max(1, rows) / type.elements * type.bytes;
        }
    }

    private RandomModelFile(Map<String, String> options) {
        this.options = options;
    }

    /** Arguments: {@code name=value}. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            if (parts.length != 2) {
                System.err.println("usage: RandomModelFile.java out=FILE [format=q4_0] [vocab=N] [hidden=N] [layers=N] [heads=N]"
                        + " [kv-heads=N] [ff=N] [context=N]");
                System.exit(2);
            }
            options.put(parts[0], parts[1]);
        }
        new RandomModelFile(options).write(Path.of(options.getOrDefault("out", "random.gguf")));
    }

    private int number(String name, int standard) {
        return Integer.parseInt(options.getOrDefault(name, String.valueOf(standard)));
    }

    private void write(Path file) throws IOException {
        int vocab = number("vocab", 128_256);
        int hidden = number("hidden", 2048);
        int layers = number("layers", 16);
        int heads = number("heads", 32);
        int kvHeads = number("kv-heads", 8);
        int ff = number("ff", 8192);
        String format = options.getOrDefault("format", "q4_0");
        boolean mixed = format.equals("q4_k_m");
        Type type = mixed ? Type.Q4_K : Type.valueOf(format.toUpperCase(Locale.ROOT));
        Type better = mixed ? Type.Q6_K : type;
        long kv = (long) hidden / heads * kvHeads;
        tensors.add(new Tensor("token_embd.weight", better, hidden, vocab));
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "blk." + layer + ".";
            Type half = layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2 ? better : type;
            tensors.add(new Tensor(prefix + "attn_norm.weight", Type.F32, hidden, 0));
            tensors.add(new Tensor(prefix + "attn_q.weight", type, hidden, hidden));
            tensors.add(new Tensor(prefix + "attn_k.weight", type, hidden, kv));
            tensors.add(new Tensor(prefix + "attn_v.weight", half, hidden, kv));
            tensors.add(new Tensor(prefix + "attn_output.weight", type, hidden, hidden));
            tensors.add(new Tensor(prefix + "ffn_norm.weight", Type.F32, hidden, 0));
            tensors.add(new Tensor(prefix + "ffn_gate.weight", type, hidden, ff));
            tensors.add(new Tensor(prefix + "ffn_up.weight", type, hidden, ff));
            tensors.add(new Tensor(prefix + "ffn_down.weight", half, ff, hidden));
        }
        tensors.add(new Tensor("output_norm.weight", Type.F32, hidden, 0));
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            byte[] front = front(vocab, hidden, layers, heads, kvHeads, ff, format);
            out.write(front);
            out.write(new byte[padding(front.length)]);
            for (Tensor tensor : tensors) {
                data(tensor, hidden, out);
                out.write(new byte[padding(tensor.bytes())]);
            }
        }
        System.err.printf("%s: %,d bytes%n", file, Files.size(file));
    }

    private static int padding(long bytes) {
        return (int) ((ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT);
    }

    private byte[] front(int vocab, int hidden, int layers, int heads, int kvHeads, int ff, String format) {
        var metadata = new Bytes();
        int entries = 0;
        entries += metadata.string("general.architecture", "llama");
        entries += metadata.string("general.name", "random " + format);
        entries += metadata.integer("llama.block_count", layers);
        entries += metadata.integer("llama.context_length", number("context", 16_384));
        entries += metadata.integer("llama.embedding_length", hidden);
        entries += metadata.integer("llama.feed_forward_length", ff);
        entries += metadata.integer("llama.attention.head_count", heads);
        entries += metadata.integer("llama.attention.head_count_kv", kvHeads);
        entries += metadata.integer("llama.rope.dimension_count", hidden / heads);
        entries += metadata.integer("llama.vocab_size", vocab);
        entries += metadata.float32("llama.rope.freq_base", 500_000f);
        entries += metadata.float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        entries += metadata.string("tokenizer.ggml.model", "gpt2");
        entries += metadata.string("tokenizer.ggml.pre", "llama-bpe");
        entries += metadata.tokens(vocab);
        entries += metadata.integer("tokenizer.ggml.bos_token_id", vocab - 2);
        entries += metadata.integer("tokenizer.ggml.eos_token_id", vocab - 1);
        var front = new Bytes();
        front.ascii("GGUF");
        front.int32(3);
        front.int64(tensors.size());
        front.int64(entries);
        front.bytes(metadata.toByteArray());
        long offset = 0;
        for (Tensor tensor : tensors) {
            front.text(tensor.name);
            front.int32(tensor.rows == 0 ? 1 : 2);
            front.int64(tensor.columns);
            if (tensor.rows > 0) {
                front.int64(tensor.rows);
            }
            front.int32(tensor.type.id);
            front.int64(offset);
            offset += tensor.bytes() + padding(tensor.bytes());
        }
        return front.toByteArray();
    }

    private void data(Tensor tensor, int hidden, OutputStream out) throws IOException {
        if (tensor.rows == 0) {
            var ones = new Bytes();
            for (long i = 0; i < tensor.columns; i++) {
                ones.int32(Float.floatToIntBits(1f));
            }
            out.write(ones.toByteArray());
            return;
        }
        float scale = (float) (0.5 / Math.sqrt(hidden)); // keeps hidden states of the order of 1
        ByteBuffer row = ByteBuffer.allocate((int) (tensor.columns / tensor.type.elements * tensor.type.bytes))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (long r = 0; r < tensor.rows; r++) {
            row.clear();
            while (row.hasRemaining()) {
                block(tensor.type, scale, row);
            }
            out.write(row.array());
        }
    }

    private void block(Type type, float scale, ByteBuffer row) {
        switch (type) {
            case F32 -> row.putFloat(value(scale));
            case F16 -> row.putShort(Float.floatToFloat16(value(scale)));
            case BF16 -> row.putShort((short) (Float.floatToRawIntBits(value(scale)) >>> 16));
            case Q8_0 -> {
                half(scale / 73, row);
                noise(32, row);
            }
            case Q4_0 -> {
                half(scale / 4.6f, row);
                noise(16, row);
            }
            case Q4_K, Q5_K -> {
                half(scale / 32 / (type == Type.Q4_K ? 4.6f : 9.2f), row);
                half(scale / 32, row);
                noise(type.bytes - 4, row);
            }
            case Q6_K -> {
                noise(type.bytes - 2, row);
                half(scale / 18 / 73, row);
            }
        }
    }

    private float value(float scale) {
        return (float) (random.nextDouble() * 2 - 1) * scale * 1.7f;
    }

    private static void half(float value, ByteBuffer row) {
        row.putShort(Float.floatToFloat16(value));
    }

    private void noise(int bytes, ByteBuffer row) {
        for (int i = 0; i < bytes; i++) {
            row.put((byte) random.nextInt());
        }
    }

    /** Little-endian pieces of the front of a GGUF file. */
    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        byte[] toByteArray() {
            return out.toByteArray();
        }

        void bytes(byte[] bytes) {
            out.writeBytes(bytes);
        }

        void ascii(String text) {
            bytes(text.getBytes(StandardCharsets.US_ASCII));
        }

        void int32(int value) {
            bytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        }

        void int64(long value) {
            bytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        }

        void text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            int64(utf8.length);
            bytes(utf8);
        }

        int string(String key, String value) {
            text(key);
            int32(STRING);
            text(value);
            return 1;
        }

        int integer(String key, int value) {
            text(key);
            int32(UINT32);
            int32(value);
            return 1;
        }

        int float32(String key, float value) {
            text(key);
            int32(FLOAT32);
            int32(Float.floatToIntBits(value));
            return 1;
        }

        /** A byte-level vocabulary: the 256 bytes, one merge (some engines want one), and names for the rest. */
        int tokens(int vocab) {
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
            text("tokenizer.ggml.tokens");
            int32(ARRAY);
            int32(STRING);
            int64(vocab);
            tokens.subList(0, vocab).forEach(this::text);
            text("tokenizer.ggml.token_type");
            int32(ARRAY);
            int32(INT32);
            int64(vocab);
            for (int i = 0; i < vocab; i++) {
                int32(i >= vocab - 2 ? 3 : 1);
            }
            text("tokenizer.ggml.merges");
            int32(ARRAY);
            int32(STRING);
            int64(1);
            text("t h");
            return 3;
        }
    }
}
