package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;

/** Results of others, and ours to compare with them. */
public final class Goldens {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Goldens() {}

    /** What another computed. */
    public record Golden(int[] prompt, float[] logits, int[] greedy, double[] margins) {
        /** Steps that no difference of that size can change. */
        public int sure(double tolerance) {
            int sure = 0;
            while (sure < greedy.length && margins[sure] > 2 * tolerance) {
                sure++;
            }
            return sure;
        }
    }

    /**
     * Reads one.
     *
     * @param folder that has the JSON and the logits
     * @param json with the prompt
     * @param result with the rest: {@code json}, or a part of it
     */
    public static Golden read(Path folder, JsonNode json, JsonNode result) throws IOException {
        JsonNode margins = result.get("greedy_margins");
        double[] values = new double[margins.size()];
        Arrays.setAll(values, i -> margins.get(i).asDouble());
        return new Golden(ints(json.get("prompt_ids")), floats(folder.resolve(result.get("logits_file").asText())),
                ints(result.get("greedy_ids")), values);
    }

    public static JsonNode json(Path file) throws IOException {
        return JSON.readTree(file.toFile());
    }

    private static int[] ints(JsonNode array) {
        int[] out = new int[array.size()];
        Arrays.setAll(out, i -> array.get(i).asInt());
        return out;
    }

    private static float[] floats(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[] out = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(out);
        return out;
    }

    /** Logits of all positions of a prompt, with the kernels that are served and float keys and values. */
    static float[] logits(ModelSource source, int[] prompt, ActivationPrecision activations) {
        try (LoadedModel model = load(source)) {
            return TestModels.logits(model.newTransformer(WorkerTeam.sequential(), activations, KvType.F32, 64), prompt, 64);
        }
    }

    public static LoadedModel load(ModelSource source) {
        return ModelLoader.load(source, KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
    }

    /** The largest difference; NaN is larger than any. */
    public static double difference(float[] expected, float[] actual) {
        if (expected.length != actual.length) {
            throw new AssertionError("lengths differ: %d, %d".formatted(expected.length, actual.length));
        }
        double most = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs((double) expected[i] - actual[i]);
            most = difference <= most ? most : difference;
        }
        return most;
    }

    /** The same folder with another configuration. */
    public static Path copy(Path folder, Path config, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(path -> !path.getFileName().toString().startsWith("config")).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
        Files.copy(config, to.resolve("config.json"));
        return to;
    }
}
