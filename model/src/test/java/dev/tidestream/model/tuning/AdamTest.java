package dev.tidestream.model.tuning;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AdamTest {

    /** The first step moves every value by the learning rate; the second is computed here from the paper's formulas. */
    @Test
    void shouldTakeTheStepsOfItsPaper() {
        Parameter parameter = new Parameter("p", 0, 1, 1, new double[] {1});
        Adam adam = new Adam(List.of(parameter));
        Gradients gradients = new Gradients(List.of(parameter));
        gradients.of(parameter)[0] = 0.5;
        adam.step(gradients, 0.1, 1);
        assertEquals(0.9, parameter.values()[0], 1e-6);
        gradients.of(parameter)[0] = -0.4;
        adam.step(gradients, 0.1, 2);
        double m = (0.9 * 0.05 - 0.1 * 0.4) / (1 - 0.81);
        double v = (0.999 * 0.00025 + 0.001 * 0.16) / (1 - 0.999 * 0.999);
        assertEquals(0.9 - 0.1 * m / Math.sqrt(v), parameter.values()[0], 1e-6);
    }

    @Test
    void shouldRiseInALineAndFallInACosine() {
        LearningRate rate = new LearningRate(1, 10, 110);
        assertEquals(0.1, rate.at(1), 1e-12);
        assertEquals(1, rate.at(10), 1e-12);
        assertEquals(0.55, rate.at(60), 1e-12);
        assertEquals(0.1, rate.at(110), 1e-12);
    }

    @Test
    void shouldTrainOnEachBlockOncePerRoundAndNeverOnWhatIsHeldOut() {
        int[] tokens = IntStream.range(0, 101).toArray();
        TokenBlocks blocks = new TokenBlocks(tokens, 10, 0.2, 3);
        assertEquals(8, blocks.training().size());
        assertEquals(2, blocks.heldOut().size());
        Set<Integer> seen = new HashSet<>();
        for (int step = 1; step <= 4; step++) {
            for (int[] block : blocks.batch(step, 2)) {
                assertEquals(11, block.length);
                assertTrue(seen.add(block[0]), "twice: " + block[0]);
            }
        }
        blocks.heldOut().forEach(block -> assertTrue(seen.add(block[0])));
        assertEquals(10, seen.size());
        assertArrayEquals(blocks.batch(7, 2).get(1), new TokenBlocks(tokens, 10, 0.2, 3).batch(7, 2).get(1));
        assertEquals("the text is too short for two blocks, one of them held out: tokens=15, context=10",
                assertThrows(TuningException.class, () -> new TokenBlocks(new int[15], 10, 0.2, 3)).getMessage());
    }
}
