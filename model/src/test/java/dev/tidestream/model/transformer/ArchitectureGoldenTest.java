package dev.tidestream.model.transformer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * All golden GGUF files of architectures and formats that are known, against a forward pass in float64 on the same weights. Files of
 * others are skipped, by name, until they are known.
 */
class ArchitectureGoldenTest {
    private static final String MODELS = "golden/models";
    private static final int VOCABULARY = 512;
    private static final double EXACT = 1e-4;
    private static final double EXACT_CODES = 1e-3;
    /** Where int8 activations round otherwise than floats do; llama.cpp's own differ from the exact logits by as much. */
    private static final double INT8_MOST = 1;
    private static final double INT8_RMS = 0.2;
    private static final int INT8_AGREEING = 19;

    static List<String> files() throws IOException {
        Path models = SharedData.path(MODELS);
        try (Stream<Path> all = Files.walk(models)) {
            return all.filter(path -> path.toString().endsWith(".gguf"))
                    .map(path -> MODELS + "/" + models.relativize(path).toString().replace('\\', '/')).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void shouldComputeTheExactLogitsWithFloats(String path) throws IOException {
        Golden golden = Golden.of(path);
        try (LoadedModel loaded = TestModels.load(path, KernelSelection.fastest())) {
            Transformer model = loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 64);
            Difference difference = Difference.of(golden.logits, TestModels.logits(model, golden.prompt, 64));
            assertTrue(difference.most < EXACT, path + " " + difference);

            int sure = 0; // steps that no difference of that size can change
            while (sure < golden.greedy.length && golden.margins[sure] > 2 * EXACT) {
                sure++;
            }
            assertArrayEquals(Arrays.copyOf(golden.greedy, sure), TestModels.greedy(model, golden.prompt, sure), path);
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void shouldStayNearWithInt8Activations(String path) throws IOException {
        Golden golden = Golden.of(path);
        try (LoadedModel loaded = TestModels.load(path, KernelSelection.fastest())) {
            Precision precision = new Precision(ActivationPrecision.INT8, ActivationPrecision.INT8, KvType.F16);
            float[] actual = TestModels.logits(loaded.newTransformer(WorkerTeam.sequential(), precision, 64), golden.prompt, 64);
            Difference difference = Difference.of(golden.logits, actual);
            assertTrue(difference.most < INT8_MOST && difference.rms < INT8_RMS && difference.agreeing >= INT8_AGREEING,
                    path + " " + difference);
        }
    }

    static List<String> filesWithACodeGolden() throws IOException {
        return files().stream().filter(path -> Files.exists(
                SharedData.path(MODELS).resolve(codes(path).substring(MODELS.length() + 1)))).toList();
    }

    private static String codes(String path) {
        return path.substring(0, path.length() - ".gguf".length()) + ".logits_a8.f32";
    }

    /** Ternary matrices take codes with one scale for each token, as BitNet is trained; the head takes floats. */
    @ParameterizedTest
    @MethodSource("filesWithACodeGolden")
    void shouldComputeTheExactLogitsWithACodePerToken(String path) throws IOException {
        Golden golden = Golden.of(path);
        try (LoadedModel loaded = TestModels.load(path, KernelSelection.fastest())) {
            Transformer model = loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, KvType.F32, 64);
            Difference difference = Difference.of(Golden.floats(codes(path)), TestModels.logits(model, golden.prompt, 64));
            assertTrue(difference.most < EXACT_CODES, path + " " + difference);

            JsonNode json = new ObjectMapper().readTree(SharedData.path(path.replace(".gguf", ".json")).toFile()).get("exact_a8");
            int[] greedy = Golden.ints(json.get("greedy_ids"));
            int sure = 0;
            while (sure < greedy.length && json.get("greedy_margins").get(sure).asDouble() > 2 * EXACT_CODES) {
                sure++;
            }
            assertArrayEquals(Arrays.copyOf(greedy, sure), TestModels.greedy(model, golden.prompt, sure), path);
        }
    }

    @Test
    void shouldSayHowTernaryWeightsAreHeld() throws IOException {
        try (GgufFile file = GgufFile.open(SharedData.path(MODELS + "/bitnet_silu/gguf/bitnet_silu-TQ1_0.gguf"))) {
            ModelLoader loader = new ModelLoader(file);
            assertEquals("TQ1_0 is held as TQ2_0, TQ1_0 takes int8 activations with one scale per token", loader.words().get("weights"));
            assertTrue(loader.words().getOrDefault("feed-forward", "").contains("silu, normed before the last matrix"),
                    loader.words().toString());
        }
        try (GgufFile file = GgufFile.open(SharedData.path(MODELS + "/bitnet/gguf/bitnet-I2_S.gguf"))) {
            ModelLoader loader = new ModelLoader(file);
            assertEquals("I2_S takes int8 activations with one scale per token", loader.words().get("weights"));
            assertTrue(loader.words().getOrDefault("feed-forward", "").contains("relu squared, normed"), loader.words().toString());
        }
        try (GgufFile file = GgufFile.open(SharedData.path(MODELS + "/qwen2/gguf/qwen2-Q4_0.gguf"))) {
            assertFalse(new ModelLoader(file).words().containsKey("weights"));
        }
    }

    /** What another computed of a file. */
    private record Golden(int[] prompt, float[] logits, int[] greedy, double[] margins) {

        /** Skips the test if the file is of an architecture or a format that is not known. */
        static Golden of(String path) throws IOException {
            try (GgufFile file = GgufFile.open(SharedData.path(path))) {
                String architecture = file.metadata().string("general.architecture");
                assumeTrue(Architectures.known().stream().map(Architecture::name).anyMatch(architecture::equals),
                        () -> "%s: the architecture is not known yet: %s".formatted(path, architecture));
                Set<String> formats = Arrays.stream(TensorFormat.values()).map(Enum::name).collect(Collectors.toSet());
                Set<String> unknown = file.tensors().values().stream().map(tensor -> tensor.type().name())
                        .filter(type -> !formats.contains(type)).collect(Collectors.toSet());
                assumeTrue(unknown.isEmpty(), () -> "%s: formats are not known yet: %s".formatted(path, unknown));
            }
            String stem = path.substring(0, path.length() - ".gguf".length());
            JsonNode json = new ObjectMapper().readTree(SharedData.path(stem + ".json").toFile());
            JsonNode exact = json.get("exact");
            int[] prompt = ints(json.get("prompt_ids"));
            float[] logits = floats(stem + ".logits.f32");
            assertEquals(prompt.length * VOCABULARY, logits.length);
            double[] margins = new double[exact.get("greedy_margins").size()];
            Arrays.setAll(margins, i -> exact.get("greedy_margins").get(i).asDouble());
            return new Golden(prompt, logits, ints(exact.get("greedy_ids")), margins);
        }

        private static int[] ints(JsonNode array) {
            int[] out = new int[array.size()];
            Arrays.setAll(out, i -> array.get(i).asInt());
            return out;
        }

        private static float[] floats(String relative) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(SharedData.path(relative))).order(ByteOrder.LITTLE_ENDIAN);
            float[] out = new float[bytes.remaining() / Float.BYTES];
            bytes.asFloatBuffer().get(out);
            return out;
        }
    }

    /** How far logits are from others: the largest difference, the root of the mean square, and positions with the same best token. */
    private record Difference(double most, double rms, int agreeing) {

        static Difference of(float[] expected, float[] actual) {
            double most = 0;
            double squares = 0;
            for (int i = 0; i < expected.length; i++) {
                double difference = Math.abs((double) expected[i] - actual[i]);
                most = difference <= most ? most : difference; // NaN is larger than any
                squares += difference * difference;
            }
            int agreeing = 0;
            for (int at = 0; at < expected.length; at += VOCABULARY) {
                agreeing += TestModels.argmax(expected, at, VOCABULARY) == TestModels.argmax(actual, at, VOCABULARY) ? 1 : 0;
            }
            return new Difference(most, Math.sqrt(squares / expected.length), agreeing);
        }
    }
}
