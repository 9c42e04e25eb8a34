package dev.tidestream.model.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.gguf.GgufFile;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.MatrixGroup;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.HeadObserver;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** Which activations meet the head. */
class HeadActivationsTest {
    private static final WorkerTeam ALONE = WorkerTeam.sequential();
    private static final int V = 100;
    /** The portable ones, and those that are served. */
    private static final List<Kernels> KERNELS = List.of(KernelSelection.vector(), KernelSelection.fastest());
    private static final int[] TOKENS = new SplittableRandom(3).ints(20, 0, V).toArray();

    @ParameterizedTest
    @CsvSource({"Q8_0, false", "Q8_0, true", "Q4_0, false", "Q4_0, true"})
    void shouldQuantiseTheFinalStateAsTheBodyDoes(TensorFormat format, boolean untied) {
        KERNELS.forEach(kernels -> assertFinalStateQuantised(format, untied, kernels));
    }

    private static void assertFinalStateQuantised(TensorFormat format, boolean untied, Kernels kernels) {
        try (LoadedModel loaded = load(model(format, untied), kernels)) {
            HiddenStates recent = new HiddenStates(1, loaded.blueprint().hiddenSize());
            Transformer model = loaded.newTransformer(
                    ALONE, int8(ActivationPrecision.F32), new ForwardScratch(loaded.blueprint(), 32),
                    new HeadProbes(HeadObserver.NONE, recent));
            float[] logits = new float[V];
            model.forward(List.of(new Slice(TestModels.cache(model, 20), TOKENS, 0, 20, LogitsRows.LAST)), logits);

            Activations state = new Activations(1, loaded.blueprint().hiddenSize());
            state.reset(1);
            float[] recorded = recent.snapshot(); // floats: what heads are compared on
            System.arraycopy(recorded, 0, state.values(), 0, recorded.length);
            state.quantise(KernelSelection.scalar(), ALONE);
            float[] expected = new float[V];
            MatrixGroup.of(output(loaded, untied)).multiply(KernelSelection.scalar(), ALONE, state, expected);
            assertArrayEquals(expected, logits, kernels.title());
        }
    }

    private static PanelMatrix output(LoadedModel loaded, boolean untied) {
        return switch (loaded.tensor(untied ? "output.weight" : "token_embd.weight").orElseThrow()) {
            case WeightTensor.Matrix(PanelMatrix panels) -> panels;
            case WeightTensor.Vector vector -> throw new AssertionError(vector);
        };
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, mode = EnumSource.Mode.MATCH_NONE, names = {"Q._K", "TQ.*", "I2_S"}) // too narrow for these
    void shouldTakeCodesWhereTheHeadHasBlocksOnly(TensorFormat format) {
        KERNELS.forEach(kernels -> assertCodesWhereTheHeadHasBlocks(format, kernels));
    }

    private static void assertCodesWhereTheHeadHasBlocks(TensorFormat format, Kernels kernels) {
        for (boolean untied : new boolean[] {false, true}) {
            try (LoadedModel fast = load(model(format, untied), kernels);
                    LoadedModel scalar = load(model(format, untied), KernelSelection.scalar())) {
                for (ActivationPrecision body : ActivationPrecision.values()) {
                    Precision precision = int8(body);
                    float[] int8 = TestModels.logits(fast.newTransformer(ALONE, precision, 32), TOKENS, 7);
                    assertArrayEquals(TestModels.logits(scalar.newTransformer(ALONE, precision, 32), TOKENS, 20), int8);
                    float[] exact = TestModels.logits(fast.newTransformer(ALONE, body, 32), TOKENS, 7);
                    assertEquals(format.quantised(), !Arrays.equals(exact, int8), "untied=%b, body=%s".formatted(untied, body));
                    ActivationPrecision used = precision.inHead(fast.weights().embedding(), HeadMode.PACKED);
                    assertEquals(format.quantised() ? ActivationPrecision.INT8 : ActivationPrecision.F32, used);
                }
            }
        }
    }

    @Test
    void shouldKeepTheBodyAsItIs() {
        try (LoadedModel loaded = load(model(TensorFormat.Q8_0, false), KernelSelection.fastest())) {
            List<float[]> states = new ArrayList<>();
            for (ActivationPrecision head : ActivationPrecision.values()) {
                HiddenStates recent = new HiddenStates(1, loaded.blueprint().hiddenSize());
                Precision precision = new Precision(ActivationPrecision.INT8, head, KvType.F16);
                Transformer model = loaded.newTransformer(
                        ALONE, precision, new ForwardScratch(loaded.blueprint(), 32), new HeadProbes(HeadObserver.NONE, recent));
                model.forward(List.of(new Slice(TestModels.cache(model, 20), TOKENS, 0, 20, LogitsRows.LAST)), new float[V]);
                states.add(recent.snapshot());
            }
            assertArrayEquals(states.getFirst(), states.getLast());
        }
    }

    @ParameterizedTest
    @EnumSource(value = HeadMode.class, names = {"TRANSPOSE_PER_STEP", "CACHED_TRANSPOSE"})
    void shouldTakeFloatsInDenseModes(HeadMode mode) {
        try (LoadedModel packed = load(model(TensorFormat.Q8_0, false), KernelSelection.fastest());
                LoadedModel dense = packed.successor(Map.of(), packed.buildHead(mode, Map.of(), TiedHeads::build, ALONE))) {
            Precision precision = int8(ActivationPrecision.INT8);
            assertEquals(ActivationPrecision.F32, precision.inHead(dense.weights().embedding(), mode));
            float[] logits = TestModels.logits(dense.newTransformer(ALONE, precision, 32), TOKENS, 20);
            assertArrayEquals(
                    TestModels.logits(dense.newTransformer(ALONE, ActivationPrecision.INT8, 32), TOKENS, 20), logits);
            assertFalse(Arrays.equals(TestModels.logits(packed.newTransformer(ALONE, precision, 32), TOKENS, 20), logits));
        }
    }

    private static Precision int8(ActivationPrecision body) {
        return new Precision(body, ActivationPrecision.INT8, KvType.F16);
    }

    private static RandomLlama model(TensorFormat format, boolean untied) {
        RandomLlama model = new RandomLlama(format).tame();
        return untied ? model.untied() : model;
    }

    private static LoadedModel load(RandomLlama model, Kernels kernels) {
        try (GgufFile file = model.file()) {
            return ModelLoader.load(file, kernels, ALONE, ModelLoader.ProgressListener.NONE);
        }
    }
}
