package dev.tidestream.model.tuning;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.model.transformer.TestModels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TrainerTest {
    private static final List<int[]> BATCH = TinyTuning.sequences(3, 1);

    private static TuningModel trainedFor(int steps, long seed) {
        TuningModel model = TinyTuning.model(TinyTuning.trained(1, 2, 50), seed);
        Trainer trainer = TinyTuning.trainer(model, new Adam(model.parameters()));
        for (int step = 1; step <= steps; step++) {
            trainer.step(step, BATCH);
        }
        return model;
    }

    private static double[] values(TuningModel model) {
        return model.parameters().stream().flatMapToDouble(parameter -> Arrays.stream(parameter.values())).toArray();
    }

    @Test
    void shouldGiveTheSameBitsForTheSameSeed() {
        double[] one = values(trainedFor(5, 7));
        assertArrayEquals(one, values(trainedFor(5, 7)));
        assertFalse(Arrays.equals(one, values(trainedFor(5, 8))));
    }

    @Test
    void shouldLowerTheLossOfWhatItSees() {
        double before = TinyTuning.trainer(trainedFor(0, 7), new Adam(List.of())).loss(BATCH);
        double after = TinyTuning.trainer(trainedFor(20, 7), new Adam(List.of())).loss(BATCH);
        assertTrue(after < 0.8 * before, before + " -> " + after);
    }

    /** Bits that a file of float32 keeps, so that a run can be resumed. */
    @Test
    void shouldKeepParametersThatFloat32Holds() {
        for (double value : values(trainedFor(3, 7))) {
            assertEquals(value, (float) value);
        }
    }

    /** The forward pass that is trained is the one that is served. */
    @Test
    void shouldAgreeWithTheTransformer() {
        for (RandomLlama llama : List.of(new RandomLlama(TensorFormat.F32), new RandomLlama(TensorFormat.F32).untied(),
                new RandomLlama(TensorFormat.Q8_0).tame())) {
            try (LoadedModel loaded = TinyTuning.load(llama)) {
                int[] tokens = Arrays.copyOf(BATCH.getFirst(), TinyTuning.CONTEXT);
                float[] served = TestModels.logits(
                        loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, 16), tokens, 16);
                double[] trained = TuningModel.of(loaded, TinyTuning.trained(), TinyTuning.CONTEXT, 1).logits(tokens, TinyTuning.PRODUCTS);
                double largest = Arrays.stream(trained).map(Math::abs).max().orElseThrow();
                for (int i = 0; i < served.length; i++) {
                    assertEquals(trained[i], served[i], 1e-4 * largest, "logit " + i);
                }
            }
        }
    }

    @Test
    void shouldRefuseWhatItHasNoDerivativeOf() {
        try (LoadedModel loaded = TinyTuning.load(new RandomLlama(TensorFormat.F32).with("llama.attention.sliding_window", 8))) {
            String message = String.valueOf(
                    assertThrows(TuningException.class, () -> TuningModel.of(loaded, TinyTuning.trained(), 8, 1)).getMessage());
            assertTrue(message.contains("architecture=llama") && message.contains("a window of 8 positions"), message);
            assertTrue(String.valueOf(assertThrows(TuningException.class, () -> new Trained(Set.of(), 0, 0, List.of())).getMessage())
                    .startsWith("nothing to train"));
        }
    }
}
