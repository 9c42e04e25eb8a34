package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/** All golden folders, with both styles of configuration: what they have in common with GGUF files. */
class HuggingFaceGoldenTest {
    private static final String MODELS = "golden/models";

    @TempDir
    private Path temporary;

    static List<Arguments> folders() throws IOException {
        Path models = SharedData.path(MODELS);
        try (Stream<Path> all = Files.list(models)) {
            return all.filter(path -> Files.exists(path.resolve("hf"))).sorted()
                    .flatMap(path -> Stream.of("config.json", "config.transformers5.json")
                            .map(config -> Arguments.of(path, config))).toList();
        }
    }

    @ParameterizedTest
    @MethodSource("folders")
    void shouldMakeAMiniature(Path model, String config) throws IOException { // what a warm-up runs
        Path folder = Goldens.copy(model.resolve("hf"), model.resolve("hf").resolve(config), temporary.resolve("model"));
        try (HuggingFaceFolder source = HuggingFaceFolder.open(folder);
                LoadedModel small = new ModelLoader(source).miniature(KernelSelection.fastest())) {
            assertTrue(small.weights().bytes() > 0);
        }
    }

    /** With the same weights, a folder and the file that it was converted to are one model. */
    @ParameterizedTest
    @CsvSource({"gpt2_prefixed, gpt2_prefixed-F32", "qwen2, qwen2-F16"})
    void shouldGiveTheBitsOfTheFileThatItWasConvertedTo(String model, String gguf) {
        int[] prompt = {1, 7, 300, 42, 511, 0, 99, 256, 12};
        try (ModelSource folder = HuggingFaceFolder.open(SharedData.path(MODELS + "/" + model + "/hf"));
                ModelSource file = GgufFile.open(SharedData.path(MODELS + "/" + model + "/gguf/" + gguf + ".gguf"))) {
            assertArrayEquals(Goldens.logits(file, prompt, ActivationPrecision.INT8),
                    Goldens.logits(folder, prompt, ActivationPrecision.INT8));
            assertEquals(file.tensors().keySet(), folder.tensors().keySet());
        }
    }

    /** Passes of other lengths give the same bits. */
    @ParameterizedTest
    @CsvSource({"bitnet", "llama3", "gemma3", "gpt2"})
    void shouldNotDependOnHowAPromptIsCut(String model) {
        int[] prompt = {1, 7, 300, 42, 511, 0, 99, 256, 12};
        try (ModelSource folder = HuggingFaceFolder.open(SharedData.path(MODELS + "/" + model + "/hf"));
                LoadedModel loaded = Goldens.load(folder)) {
            float[] whole = TestModels.logits(
                    loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, KvType.F32, 64), prompt, 64);
            for (int chunk : new int[] {1, 4}) {
                assertArrayEquals(whole, TestModels.logits(
                        loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, KvType.F32, 64), prompt, chunk));
            }
        }
    }

    /** A checkpoint that has seen no conversion, and one that has, may have matrices in either form. */
    @ParameterizedTest
    @MethodSource("folders")
    void shouldFindTheTensorsOfTheFileThatItWasConvertedTo(Path model, String config) throws IOException {
        assumeTrue(Files.isDirectory(model.resolve("gguf")), () -> model + ": no GGUF file");
        try (Stream<Path> ggufs = Files.list(model.resolve("gguf"))) {
            List<Path> files = ggufs.filter(path -> path.toString().endsWith(".gguf") && !path.toString().contains("with_output"))
                    .sorted().toList();
            Path folder = Goldens.copy(model.resolve("hf"), model.resolve("hf").resolve(config), temporary.resolve("model"));
            try (ModelSource source = HuggingFaceFolder.open(folder); ModelSource file = GgufFile.open(files.getFirst())) {
                assertEquals(file.tensors().keySet(), source.tensors().keySet());
                file.tensors().forEach((name, tensor) -> assertEquals(tensor.dimensions(), source.tensor(name).dimensions(), name));
                assertEquals(file.metadata().string("general.architecture"), source.metadata().string("general.architecture"));
            }
        }
    }
}
