package dev.tidestream.model.tuning;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufWriter;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Gradients against those of gradients.txt, which gradients.py beside it has made: with numpy, from the papers, without a derivative. */
class GoldenGradientTest {
    private static final int HIDDEN = 32;
    private static final int LAYERS = 2;
    private static final int FEED_FORWARD = 48;
    private static final int KV = 16;
    private static final int VOCABULARY = 48;
    private static final int RANK = 2;
    private static final Trained TRAINED = new Trained(EnumSet.allOf(Target.class), RANK, 6, List.of(3, 5, 11, 40));
    private static final List<int[]> BATCH =
            List.of(new int[] {3, 7, 11, 3, 20, 5}, new int[] {5, 9, 40, 12, 13, 14, 47, 5});

    /** As gradients.py has them. */
    private static float[] numbers(long salt, int count, double size) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            long mixed = (salt * 1_000_003 + i) * 2_654_435_761L & 0xFFFF_FFFFL;
            numbers[i] = (float) ((mixed / 0x1p32 - 0.5) * size);
        }
        return numbers;
    }

    private static float[] norm(long salt) {
        float[] weights = numbers(salt, HIDDEN, 0.5);
        for (int i = 0; i < HIDDEN; i++) {
            weights[i] = (float) (1.0 + weights[i]);
        }
        return weights;
    }

    private static void matrix(GgufWriter writer, String name, long salt, int rows, int columns, double size) {
        writer.tensor(name, numbers(salt, rows * columns, size), columns, rows);
    }

    private static GgufFile file(boolean tied) {
        GgufWriter writer = new GgufWriter().string("general.architecture", "llama").u32("llama.embedding_length", HIDDEN)
                .u32("llama.block_count", LAYERS).u32("llama.feed_forward_length", FEED_FORWARD).u32("llama.context_length", 16)
                .u32("llama.attention.head_count", 4).u32("llama.attention.head_count_kv", 2)
                .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        matrix(writer, "token_embd.weight", 1, VOCABULARY, HIDDEN, 2);
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "blk." + layer + ".";
            long salt = 10 + 20L * layer;
            writer.tensor(prefix + "attn_norm.weight", norm(salt), HIDDEN);
            matrix(writer, prefix + "attn_q.weight", salt + 1, HIDDEN, HIDDEN, 0.5);
            matrix(writer, prefix + "attn_k.weight", salt + 2, KV, HIDDEN, 0.5);
            matrix(writer, prefix + "attn_v.weight", salt + 3, KV, HIDDEN, 0.5);
            matrix(writer, prefix + "attn_output.weight", salt + 4, HIDDEN, HIDDEN, 0.5);
            writer.tensor(prefix + "ffn_norm.weight", norm(salt + 5), HIDDEN);
            matrix(writer, prefix + "ffn_gate.weight", salt + 6, FEED_FORWARD, HIDDEN, 0.5);
            matrix(writer, prefix + "ffn_up.weight", salt + 7, FEED_FORWARD, HIDDEN, 0.5);
            matrix(writer, prefix + "ffn_down.weight", salt + 8, HIDDEN, FEED_FORWARD, 0.5);
        }
        writer.tensor("output_norm.weight", norm(3), HIDDEN);
        if (!tied) {
            matrix(writer, "output.weight", 2, VOCABULARY, HIDDEN, 2);
        }
        byte[] bytes = writer.toByteArray();
        return GgufFile.of(Arena.ofAuto().allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes)), "golden.gguf");
    }

    private static TuningModel model(boolean tied) {
        try (LoadedModel loaded = ModelLoader.load(
                file(tied), KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            TuningModel model = TuningModel.of(loaded, TRAINED, 16, 1);
            long salt = 100;
            for (Parameter parameter : model.parameters()) {
                if (!parameter.name().startsWith("token_embd")) {
                    float[] numbers = numbers(salt++, parameter.values().length, 0.5);
                    for (int i = 0; i < numbers.length; i++) {
                        parameter.values()[i] = numbers[i];
                    }
                }
            }
            return model;
        }
    }

    private static List<String[]> golden(String word) throws IOException {
        try (InputStream in = Objects.requireNonNull(GoldenGradientTest.class.getResourceAsStream("gradients.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .map(line -> line.split(" ")).filter(line -> line[0].equals(word)).toList();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldBeThoseOfAnotherProgram(boolean tied) throws IOException {
        TuningModel model = model(tied);
        Gradients gradients = new Gradients(model.parameters());
        double loss = TinyTuning.trainer(model, new Adam(model.parameters())).gradients(BATCH, gradients);
        Map<String, Parameter> byName = new HashMap<>();
        model.parameters().forEach(parameter -> byName.put(parameter.name(), parameter));
        List<String[]> golden = golden(tied ? "tied" : "untied");
        Set<String> seen = new TreeSet<>();
        for (String[] line : golden) {
            Parameter parameter = byName.get(line[1]);
            double actual = parameter == null ? loss : gradients.of(parameter)[Integer.parseInt(line[2])];
            double wanted = Double.parseDouble(line[3]);
            assertEquals(wanted, actual, 1e-11 * Math.max(1, Math.abs(wanted)), line[1] + " at " + line[2]);
            seen.add(line[1]);
        }
        byName.put("loss", model.parameters().getFirst());
        assertEquals(byName.keySet(), seen, "every parameter, and the loss");
    }
}
