package dev.tidestream.model.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgmlType;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.gguf.GgufTokenizer;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every family and every format is written, loads and generates. */
class RandomModelFileTest {
    @TempDir
    Path temp;

    static Stream<List<String>> familiesAndFormats() {
        List<List<String>> all = new ArrayList<>();
        for (String family : RandomMetadata.FAMILIES) {
            List<String> formats = family.startsWith("bitnet") ? List.of("i2_s", "tq2_0") : List.of("q8_0", "q4_k_m");
            formats.forEach(format -> all.add(List.of(family, format)));
        }
        return all.stream();
    }

    private Path write(String... more) throws IOException {
        Map<String, String> options = new HashMap<>(Map.of("vocab", "320", "hidden", "256", "layers", "4", "heads", "4", "kv-heads", "2",
                "ff", "512", "context", "64", "window", "16"));
        for (String option : more) {
            options.put(option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
        }
        Path out = temp.resolve("random.gguf");
        RandomModelFile.write(options, out);
        return out;
    }

    /** All types, and some tokens. */
    private static String types(Path path, boolean tied) {
        try (GgufFile file = GgufFile.open(path);
                LoadedModel model = new ModelLoader(file).load(
                        KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE)) {
            assertEquals(tied, model.blueprint().tied());
            LanguageModel forward = model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 24);
            int[] prompt = GgufTokenizer.tokenizer(file.metadata()).encode("The quick brown fox", true, false);
            float[] logits = TestModels.logits(forward, prompt, 24);
            double mean = 0;
            for (float logit : logits) {
                assertTrue(Float.isFinite(logit));
                mean += Math.abs(logit) / logits.length;
            }
            assertTrue(mean > 1e-3 && mean < 100, "logits are of the order of 1: " + mean);
            assertEquals(3, TestModels.greedy(forward, prompt, 3).length);
            return file.tensors().values().stream().map(tensor -> tensor.type().name())
                    .collect(Collectors.toCollection(TreeSet::new)).toString();
        }
    }

    @ParameterizedTest
    @MethodSource("familiesAndFormats")
    void shouldMakeEveryFamily(List<String> familyAndFormat) throws IOException {
        String types = types(write("arch=" + familyAndFormat.getFirst(), "format=" + familyAndFormat.getLast()), true);
        String expected = switch (familyAndFormat.getLast()) {
            case "q8_0" -> "[F32, Q8_0]";
            case "q4_k_m" -> "[F32, Q4_K, Q6_K]";
            case "i2_s" -> "[F16, F32, I2_S]";
            default -> "[F32, TQ2_0]";
        };
        assertEquals(expected, types);
    }

    @ParameterizedTest
    @EnumSource(TensorFormat.class)
    void shouldMakeEveryFormat(TensorFormat format) throws IOException {
        String types = types(write("format=" + format.name().toLowerCase(Locale.ROOT), "head=f16"), true);
        assertTrue(types.contains(format.name()), types);
    }

    @Test
    void shouldHaveAllArchitectures() {
        Set<String> known = Architectures.known().stream().map(Architecture::name).collect(Collectors.toSet());
        Set<String> made = RandomMetadata.FAMILIES.stream().map(family -> family.equals("mistral") ? "llama" : family)
                .collect(Collectors.toSet());
        assertEquals(known, made);
    }

    @Test
    void shouldFallBackWhereRowsAreNoWholeNumberOfBlocks() throws IOException {
        Path path = write("format=q4_k", "hidden=96", "head-dim=32", "ff=160", "heads=3", "kv-heads=1", "tied=false");
        assertEquals("[F32, Q5_0]", types(path, false));
    }

    @Test
    void shouldWriteTheSameFileForTheSameSeed() throws IOException {
        byte[] first = Files.readAllBytes(write("format=q5_1"));
        assertTrue(Arrays.equals(first, Files.readAllBytes(write("format=q5_1"))));
        assertTrue(!Arrays.equals(first, Files.readAllBytes(write("format=q5_1", "seed=2"))));
    }

    @Test
    void shouldRefuseWhatItDoesNotKnow() {
        assertThrows(IllegalArgumentException.class, () -> write("arch=mixtral"));
        assertThrows(IllegalArgumentException.class, () -> write("format=q9"));
        assertThrows(IllegalArgumentException.class, () -> write("colour=blue"));
        assertTrue(RandomModelFile.HELP.contains("gemma3")
                && RandomModelFile.HELP.contains(GgmlType.IQ4_NL.name().toLowerCase(Locale.ROOT)));
    }
}
