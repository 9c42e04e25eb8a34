package dev.tidestream.model.transformer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.packed.PackedCache;
import dev.tidestream.model.packed.PackedLoad;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ModelLoader.Stage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Weights that are brought into another format when they are loaded: every way to them gives the same ones. */
class QuantisedLoadTest {
    private static final int[] TOKENS = {1, 2, 3, 4, 5};
    private static final String HEAD = "token_embd.weight";
    private static final WeightFormats ALL = new WeightFormats(Optional.of(TensorFormat.Q8_0), Optional.empty());
    private static final WeightFormats HEAD_ALONE = new WeightFormats(Optional.empty(), Optional.of(TensorFormat.Q8_0));
    private static final WeightFormats FEWER = new WeightFormats(Optional.of(TensorFormat.Q4_0), Optional.of(TensorFormat.Q5_0));

    @TempDir
    private Path folder = Path.of("");

    private Path model = Path.of("");

    @BeforeEach
    void writeModel() throws IOException {
        model = Files.write(folder.resolve("model.gguf"), new RandomLlama(TensorFormat.F32).bytes());
    }

    private static LoadedModel load(ModelLoader loader) {
        return loader.load(KernelSelection.fastest(), WorkerTeam.sequential(), ModelLoader.ProgressListener.NONE);
    }

    private static PanelMatrix panels(Optional<WeightTensor> tensor) {
        return ((WeightTensor.Matrix) tensor.orElseThrow()).panels();
    }

    private static float[] logits(LoadedModel model) {
        return TestModels.logits(model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.INT8, 8), TOKENS, 5);
    }

    @Test
    void shouldHoldTheTiedHeadAloneInItsFormat() {
        try (GgufFile file = GgufFile.open(model)) {
            ModelLoader loader = new ModelLoader(file, HEAD_ALONE);
            try (LoadedModel loaded = load(loader); LoadedModel small = loader.miniature(KernelSelection.fastest())) {
                assertEquals(TensorFormat.Q8_0, panels(loaded.tensor(HEAD)).format());
                assertEquals(TensorFormat.Q8_0, panels(small.tensor(HEAD)).format());
                assertEquals(TensorFormat.F32, panels(loaded.tensor("blk.0.attn_q.weight")).format());
            }
            assertTrue(loader.headError().orElseThrow().rms() > 0);
            assertEquals(Optional.of("1 matrix of F32 brought into Q8_0"), loader.formatsHeldOtherwise());
            assertNotEquals(file.sha256(), loader.identity());
            assertNotEquals(loader.identity(), new ModelLoader(file, ALL).identity());
            assertEquals(file.sha256(), new ModelLoader(file).identity());
            assertFalse(new ModelLoader(file).headError().isPresent());
        }
    }

    /** As a rollback of an update does. */
    @Test
    void shouldGiveTheSameBitsWhenATensorIsReadAgain() {
        try (GgufFile file = GgufFile.open(model)) {
            ModelLoader loader = new ModelLoader(file, FEWER);
            try (LoadedModel loaded = load(loader)) {
                for (String name : List.of(HEAD, "blk.0.ffn_down.weight")) {
                    try (OwnedTensor again = loader.read(name, WorkerTeam.sequential())) {
                        PanelMatrix expected = panels(loaded.tensor(name));
                        PanelMatrix actual = panels(Optional.of(again.tensor()));
                        assertEquals(expected.format(), actual.format());
                        assertEquals(-1, expected.panelData().mismatch(actual.panelData()), name);
                    }
                }
            }
        }
    }

    @Test
    void shouldKeepPackedPanelsOfDifferentFormatsApart() throws IOException {
        Path cache = folder.resolve("cache");
        List<WeightFormats> all = List.of(WeightFormats.AS_THEY_ARE, ALL, HEAD_ALONE, FEWER);
        List<String> warnings = new ArrayList<>();
        try (GgufFile file = GgufFile.open(model)) {
            List<float[]> expected = new ArrayList<>();
            for (Stage stage : List.of(Stage.WRITING_PANELS, Stage.READING_PANELS)) {
                for (int i = 0; i < all.size(); i++) {
                    Set<Stage> seen = EnumSet.noneOf(Stage.class);
                    ModelLoader loader = new ModelLoader(file, all.get(i));
                    PackedCache packed = new PackedCache(cache, false, PackedLoad.COPY, warnings::add);
                    try (LoadedModel loaded = loader.load(
                            KernelSelection.fastest(), WorkerTeam.sequential(), (now, done, total) -> seen.add(now), packed)) {
                        assertTrue(seen.contains(stage), all.get(i) + ": " + seen);
                        if (stage == Stage.WRITING_PANELS) {
                            expected.add(logits(loaded));
                        } else {
                            assertArrayEquals(expected.get(i), logits(loaded), all.get(i).words());
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), warnings);
        try (Stream<Path> files = Files.list(cache)) {
            assertEquals(all.size(), files.count());
        }
    }
}
