package dev.tidestream.server.canary;

import java.util.SplittableRandom;
import java.util.function.LongUnaryOperator;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StreamShareTest {
    private static final int COUNT = 50_000;
    private static final double DEVIATIONS = 4.5; // once in 150,000 tests of another function

    private static CanarySpec spec(long version, double share, CanarySpec.By by) {
        return new CanarySpec(version, share, by, RollbackRule.NON_FINITE_ONLY);
    }

    private static void requireBinomial(long hits, double share, String what) {
        double bound = DEVIATIONS * Math.sqrt(COUNT * share * (1 - share));
        assertTrue(Math.abs(hits - COUNT * share) <= bound, "%s: hits=%d of %d, share=%s, bound=%s".formatted(what, hits, COUNT, share, bound));
    }

    @Test
    void shouldTakeItsShareOfSeedsWhateverTheyLookLike() {
        SplittableRandom random = new SplittableRandom(7);
        LongUnaryOperator counted = i -> i;
        LongUnaryOperator multiples = i -> i * 65_536;
        LongUnaryOperator drawn = i -> random.nextLong() >>> 11;
        LongUnaryOperator negative = i -> -i;
        for (double share : new double[] {0.01, 0.2, 0.5, 0.95}) {
            for (LongUnaryOperator seeds : new LongUnaryOperator[] {counted, multiples, drawn, negative}) {
                CanarySpec canary = spec(8, share, CanarySpec.By.SEED);
                long hits = 0;
                for (int i = 0; i < COUNT; i++) {
                    hits += canary.takes(seeds.applyAsLong(i), "c") ? 1 : 0;
                }
                requireBinomial(hits, share, "seeds");
            }
        }
    }

    @Test
    void shouldKeepAKeyOnOneSide() {
        CanarySpec canary = spec(8, 0.2, CanarySpec.By.KEY);
        long hits = 0;
        for (int i = 0; i < COUNT; i++) {
            String key = "key-" + i;
            boolean first = canary.takes(i, key);
            assertEquals(first, canary.takes(i + 1, String.valueOf(key.toCharArray())));
            hits += first ? 1 : 0;
        }
        requireBinomial(hits, 0.2, "keys");
    }

    @Test
    void shouldTakeOthersForAnotherVersion() {
        CanarySpec one = spec(8, 0.2, CanarySpec.By.SEED);
        CanarySpec next = spec(9, 0.2, CanarySpec.By.SEED);
        long both = 0;
        for (int i = 0; i < COUNT; i++) {
            both += one.takes(i, "c") && next.takes(i, "c") ? 1 : 0;
        }
        requireBinomial(both, 0.04, "both");
    }

    @Test
    void shouldTakeAllOrNone() {
        assertTrue(spec(8, 1, CanarySpec.By.SEED).takes(5, "c"));
        assertFalse(StreamShare.has(5, 8, 0));
    }
}
