package dev.tidestream.model.quantisation;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.SharedData;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.gguf.GgufTensor;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.TestModels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GgufConversionTest {
    private static final int[] TOKENS = {3, 400, 17, 260, 31, 31, 5, 77};

    @TempDir
    Path temp;

    private static Path golden(String name) {
        return SharedData.path("golden/models/%s/gguf/%s.gguf".formatted(name.substring(0, name.indexOf('-')), name));
    }

    private static WeightFormats formats(TensorFormat weights) {
        return new WeightFormats(Optional.of(weights), Optional.empty());
    }

    private Path convert(Path from, WeightFormats formats, WorkerTeam team) throws IOException {
        Path out = temp.resolve("out-%d.gguf".formatted(System.nanoTime()));
        try (GgufFile source = GgufFile.open(from)) {
            GgufConversion conversion = new GgufConversion(source, formats, Map.of());
            long[] written = {0};
            conversion.write(out, false, team, bytes -> written[0] = bytes);
            assertEquals(conversion.fileBytes(), Files.size(out));
            assertTrue(written[0] <= conversion.fileBytes() && written[0] > conversion.fileBytes() - 32);
        }
        return out;
    }

    /** What llama.cpp's quantiser has made of the same weights, tensor by tensor: equal bytes. */
    @ParameterizedTest
    @CsvSource({"qwen2-F16,qwen2-Q4_0,Q4_0", "gpt2_prefixed-F32,gpt2_prefixed-BF16,BF16"})
    void shouldEncodeAsLlamaCppDoes(String from, String expected, TensorFormat format) throws IOException {
        Path out = convert(golden(from), formats(format), WorkerTeam.sequential());
        try (GgufFile theirs = GgufFile.open(golden(expected)); GgufFile ours = GgufFile.open(out)) {
            assertEquals(theirs.tensors().keySet(), ours.tensors().keySet());
            for (GgufTensor tensor : theirs.tensors().values()) {
                assertSame(theirs, tensor, ours, ours.tensor(tensor.name()));
            }
            assertEquals(theirs.metadata().u32("general.file_type"), ours.metadata().u32("general.file_type"));
        }
    }

    /** A file of F16 has the head twice; the matrices of its layers are those that F32 is rounded to. */
    @Test
    void shouldRoundToHalvesAsLlamaCppDoes() throws IOException {
        Path out = convert(golden("gpt2_prefixed-F32"), formats(TensorFormat.F16), WorkerTeam.sequential());
        try (GgufFile theirs = GgufFile.open(golden("gpt2_prefixed-F16_with_output")); GgufFile ours = GgufFile.open(out)) {
            assertFalse(ours.tensors().containsKey("output.weight"));
            for (GgufTensor tensor : ours.tensors().values()) {
                assertSame(theirs, theirs.tensor(tensor.name()), ours, tensor);
            }
        }
    }

    private static void assertSame(GgufFile theirs, GgufTensor their, GgufFile ours, GgufTensor our) {
        assertEquals(their.type(), our.type(), their.name());
        assertEquals(their.dimensions(), our.dimensions(), their.name());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment expected = theirs.data(their, arena);
            assertEquals(-1, expected.mismatch(ours.data(our, arena)), their.name());
        }
    }

    @Test
    void shouldChangeNothingOfAFileThatIsInTheFormatAlready() throws IOException {
        Path out = convert(golden("qwen3-Q8_0"), formats(TensorFormat.Q8_0), WorkerTeam.sequential());
        try (GgufFile from = GgufFile.open(golden("qwen3-Q8_0")); GgufFile ours = GgufFile.open(out)) {
            assertEquals(List.copyOf(from.tensors().keySet()), List.copyOf(ours.tensors().keySet()));
            for (GgufTensor tensor : from.tensors().values()) {
                assertSame(from, tensor, ours, ours.tensor(tensor.name()));
            }
            assertEquals(List.copyOf(from.metadata().keys()), List.copyOf(ours.metadata().keys()));
            for (String key : from.metadata().keys()) {
                assertEquals(from.metadata().value(key).type(), ours.metadata().value(key).type(), key);
                assertEquals(from.metadata().value(key).toString(), ours.metadata().value(key).toString(), key);
            }
            assertEquals(from.metadata().strings("tokenizer.ggml.tokens"), ours.metadata().strings("tokenizer.ggml.tokens"));
            assertEquals(from.metadata().strings("tokenizer.ggml.merges"), ours.metadata().strings("tokenizer.ggml.merges"));
            assertArrayEquals(from.metadata().ints("tokenizer.ggml.token_type"), ours.metadata().ints("tokenizer.ggml.token_type"));
            assertEquals(3, ours.version());
        }
    }

    /** Written and loaded, or brought into the formats when it is loaded: the same logits, however many threads there are. */
    @ParameterizedTest
    @CsvSource({
        "qwen2-F16,Q8_0,", "qwen2-F16,Q5_1,", "qwen2-F16,Q4_K,Q8_0", "llama3-Q8_0,Q4_K,", "llama3-Q8_0,Q6_K,Q4_0", "llama3-Q8_0,Q2_K,",
        "llama3-Q8_0,Q3_K,F16", "llama3-Q8_0,Q5_K,", "gpt2_prefixed-F16_with_output,Q8_0,", "gpt2_prefixed-F32,IQ4_NL,BF16",
        "gemma3-Q8_0,Q4_1,F32", "bitnet-I2_S,Q8_0,", "bitnet-I2_S,TQ2_0,Q4_K", "bitnet_silu-TQ2_0,TQ1_0,"})
    void shouldGiveTheLogitsOfLoadingWithTheSameFormats(String name, TensorFormat weights, TensorFormat head) throws IOException {
        WeightFormats formats = new WeightFormats(Optional.of(weights), Optional.ofNullable(head));
        Path out = convert(golden(name), formats, WorkerTeam.sequential());
        Path again = convert(golden(name), formats, new Backwards());
        assertEquals(-1, Files.mismatch(out, again));
        float[] loaded = logits(golden(name), formats, WorkerTeam.sequential());
        assertArrayEquals(loaded, logits(golden(name), formats, new Backwards()));
        assertArrayEquals(loaded, logits(out, WeightFormats.AS_THEY_ARE, WorkerTeam.sequential()));
    }

    private static float[] logits(Path path, WeightFormats formats, WorkerTeam team) {
        try (GgufFile file = GgufFile.open(path);
                LoadedModel model = new ModelLoader(file, formats).load(
                        KernelSelection.fastest(), team, ModelLoader.ProgressListener.NONE)) {
            return TestModels.logits(
                    model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, TOKENS.length), TOKENS, TOKENS.length);
        }
    }

    @Test
    void shouldReplaceNothingUnlessToldSoAndLeaveNothingBehind() throws IOException {
        Path out = Files.writeString(temp.resolve("out.gguf"), "mine");
        try (GgufFile source = GgufFile.open(golden("qwen2-F16"))) {
            GgufConversion conversion = new GgufConversion(source, formats(TensorFormat.Q4_0), Map.of());
            assertThrows(FileAlreadyExistsException.class, () -> conversion.write(out, false, WorkerTeam.sequential(), bytes -> { }));
            assertEquals("mine", Files.readString(out));
            assertEquals(List.of(out), files());
            assertThrows(IllegalStateException.class, () -> conversion.write(out, true, WorkerTeam.sequential(), bytes -> {
                throw new IllegalStateException("stopped");
            }));
            assertEquals("mine", Files.readString(out));
            conversion.write(out, true, WorkerTeam.sequential(), bytes -> { });
            assertEquals(List.of(out), files());
            assertEquals(conversion.fileBytes(), Files.size(out));
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(temp)) {
            return files.toList();
        }
    }

    @Test
    void shouldSayWhatWasLost() throws IOException {
        try (GgufFile source = GgufFile.open(golden("qwen2-F16"))) {
            List<ChangedMatrix> changed = new GgufConversion(source, formats(TensorFormat.Q8_0), Map.of())
                    .write(temp.resolve("out.gguf"), false, WorkerTeam.sequential(), bytes -> { });
            List<ChangedMatrix> measured = new ModelLoader(source, formats(TensorFormat.Q8_0))
                    .measure(new Backwards(), ModelLoader.ProgressListener.NONE);
            assertEquals(15, changed.size());
            assertEquals(names(changed), names(measured), "all, whatever the order");
            for (ChangedMatrix one : changed) {
                assertTrue(one.error().rms() > 0 && one.error().rms() < one.error().maxAbs(), one.toString());
                assertTrue(measured.contains(one), one.toString());
            }
        }
    }

    private static List<String> names(List<ChangedMatrix> changed) {
        List<String> names = new ArrayList<>();
        changed.forEach(one -> names.add(one.name()));
        return names.stream().sorted().toList();
    }

    /** Ranges of two, the last first. */
    private record Backwards() implements WorkerTeam {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            for (int from = (items - 1) / 2 * 2; from >= 0; from -= 2) {
                task.run(from, Math.min(from + 2, items));
            }
        }
    }
}
