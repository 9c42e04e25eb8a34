package dev.tidestream.model.tuning;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.transformer.RandomLlama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GradientTest {
    private static final double DELTA = 1e-5;
    private static final int SAMPLES = 6; // of each parameter
    private static final int READ = 5;
    private static final int PREDICTED = 7;
    private static final int NEITHER = 9;
    private static final int HIDDEN = 64;

    private static final List<int[]> BATCH = List.of(
            new int[] {READ, 11, READ, 12, 13, PREDICTED}, new int[] {14, READ, 15, 16, 17, 18, PREDICTED});

    /** B begins with zeros, where A has no gradient. */
    private static void randomise(TuningModel model, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (Parameter parameter : model.parameters()) {
            for (int i = 0; i < parameter.values().length && !parameter.name().startsWith("token_embd"); i++) {
                parameter.values()[i] = 0.2 * random.nextGaussian();
            }
        }
    }

    private static Gradients gradients(TuningModel model) {
        Gradients gradients = new Gradients(model.parameters());
        TinyTuning.trainer(model, new Adam(model.parameters())).gradients(BATCH, gradients);
        return gradients;
    }

    private static double difference(TuningModel model, Parameter parameter, int at) {
        Trainer trainer = TinyTuning.trainer(model, new Adam(model.parameters()));
        double value = parameter.values()[at];
        parameter.values()[at] = value + DELTA;
        model.changed();
        double above = trainer.loss(BATCH);
        parameter.values()[at] = value - DELTA;
        model.changed();
        double below = trainer.loss(BATCH);
        parameter.values()[at] = value;
        model.changed();
        return (above - below) / (2 * DELTA);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldBeTheDifferenceOfTheLoss(boolean tied) {
        RandomLlama llama = new RandomLlama(TensorFormat.F32);
        TuningModel model = TinyTuning.model(tied ? llama : llama.untied(), TinyTuning.trained(READ, PREDICTED, NEITHER), 3);
        randomise(model, 4);
        Gradients gradients = gradients(model);
        SplittableRandom random = new SplittableRandom(5);
        assertEquals(2 * 7 * 2 + 1, model.parameters().size());
        for (Parameter parameter : model.parameters()) {
            double largest = Arrays.stream(gradients.of(parameter)).map(Math::abs).max().orElseThrow();
            assertTrue(largest > 0, parameter.name());
            for (int i = 0; i < SAMPLES; i++) {
                int at = random.nextInt(parameter.values().length);
                assertEquals(difference(model, parameter, at), gradients.of(parameter)[at], 1e-4 * largest + 1e-9,
                        parameter.name() + " at " + at);
            }
        }
    }

    /** A row that is only read is still one of the head's, and gets the gradients of both. */
    @Test
    void shouldBeTheSumOverBothUsesOfATiedRow() {
        TuningModel model = TinyTuning.model(TinyTuning.trained(READ, PREDICTED, NEITHER), 3);
        Parameter rows = model.rows().orElseThrow().values();
        double[] gradient = gradients(model).of(rows);
        for (int row = 0; row < 3; row++) {
            int at = row * HIDDEN + 8;
            assertTrue(Math.abs(gradient[at]) > 0, "row " + row);
            assertEquals(difference(model, rows, at), gradient[at], 1e-6 * Math.max(1, Math.abs(gradient[at])), "row " + row);
        }
    }

    /** Without a tie, a row that is not read has no part in the loss. */
    @Test
    void shouldBeThatOfTheInputAloneWithoutATie() {
        TuningModel model = TinyTuning.model(
                new RandomLlama(TensorFormat.F32).untied(), TinyTuning.trained(READ, PREDICTED, NEITHER), 3);
        double[] gradient = gradients(model).of(model.rows().orElseThrow().values());
        assertTrue(Math.abs(gradient[8]) > 0);
        assertArrayEquals(new double[2 * HIDDEN], Arrays.copyOfRange(gradient, HIDDEN, 3 * HIDDEN));
    }
}
