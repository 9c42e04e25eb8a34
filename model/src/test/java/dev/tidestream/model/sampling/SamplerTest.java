package dev.tidestream.model.sampling;

import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SamplerTest {
    private static final Kernels KERNELS = KernelSelection.fastest();
    private static final float BAN = Float.NEGATIVE_INFINITY;
    private static final int[] NO_PROMPT = {};

    @Test
    void shouldTakeTheLowestIdOfEquals() {
        assertEquals(1, greedy().sample(new float[] {1, 5, 5, -7}, 0).token());
        assertEquals(0, greedy().sample(new float[] {-0f, 0f, -0f, 0f}, 0).token());
        assertEquals(3, greedy().sample(new float[] {9, BAN, BAN, BAN, BAN, -1e38f, 9, 9}, 2).token());
    }

    @Test
    void shouldRefuseRowsItCannotChooseFrom() {
        for (SamplingParams params : new SamplingParams[] {SamplingParams.greedy(), random(1f, 0, 1f, 0f, 7), bias(Map.of(0, 1f))}) {
            Sampler sampler = new Sampler(KERNELS, params, 4, NO_PROMPT);
            InvalidLogitsException nan = refusal(sampler, 1, Float.NaN, 3, 0);
            assertEquals(1, nan.index());
            assertEquals("logit is not a finite number: token=1, logit=NaN", nan.getMessage());
            assertEquals(2, refusal(sampler, 1, 2, Float.POSITIVE_INFINITY, 0).index());
            assertEquals(3, refusal(sampler, Float.POSITIVE_INFINITY, 0, 0, Float.NaN).index(), "a NaN is worse");
            assertEquals(-1, refusal(sampler, BAN, BAN, BAN, BAN).index());
            assertEquals(2, sampler.sample(new float[] {BAN, BAN, 1, BAN}, 0).token(), "usable afterwards");
        }
        Sampler allBanned = new Sampler(KERNELS, bias(Map.of(0, BAN, 1, BAN, 2, BAN, 3, BAN)), 4, NO_PROMPT);
        assertEquals("no token can be chosen: all logits are -infinity: vocabulary=4", refusal(allBanned, 1, 2, 3, 4).getMessage());
    }

    @Test
    void shouldBiasAndBan() {
        assertEquals(2, new Sampler(KERNELS, bias(Map.of(2, 10f, 0, BAN)), 4, NO_PROMPT).sample(new float[] {50, 1, 2, 3}, 0).token());
        assertEquals(1, new Sampler(KERNELS, bias(Map.of(0, 5f)), 4, NO_PROMPT).sample(new float[] {BAN, -1, -2, -3}, 0).token(),
                "a finite bias does not lift a ban of the model");
        assertEquals(0, new Sampler(KERNELS, bias(Map.of(0, Float.MAX_VALUE)), 4, NO_PROMPT)
                .sample(new float[] {Float.MAX_VALUE, 0, 0, 0}, 0).token());
    }

    @Test
    void shouldPenaliseWhatWasSeen() {
        SamplingParams repetition = penalties(2f, 0f, 0f);
        Sampler sampler = new Sampler(KERNELS, repetition, 4, new int[] {3, 3});
        assertEquals(0, sampler.sample(new float[] {3, 1, 1, 5}, 0).token(), "5 / 2 < 3");
        assertEquals(1, sampler.sample(new float[] {3, 2, 0, 3}, 0).token(), "3 / 2 < 2");
        assertEquals(2, sampler.sample(new float[] {-1, -1, -1.5f, -1}, 0).token(), "-1 * 2 < -1.5");

        Sampler presence = new Sampler(KERNELS, penalties(1f, 1f, 0f), 4, new int[] {0});
        float[] row = {3, 2.5f, 1.8f, -9};
        assertEquals("[0, 1, 0, 0]", tokens(presence, row, 4), "the prompt does not count; only once");
        Sampler frequency = new Sampler(KERNELS, penalties(1f, 0f, 1f), 4, new int[] {0});
        assertEquals("[0, 1, 0, 2, 1, 0]", tokens(frequency, row, 6));
        assertEquals("[0, 0, 0]", tokens(new Sampler(KERNELS, penalties(1f, 0f, -1f), 4, NO_PROMPT), row, 3), "negative ones reward");
    }

    @Test
    void shouldDrawFromTheSoftmax() {
        float[] row = {0f, (float) Math.log(2), (float) Math.log(3), (float) Math.log(4), BAN};
        assertFrequencies(random(1f, 0, 1f, 0f, 1), row, 0.1, 0.2, 0.3, 0.4, 0);
        assertFrequencies(random(0.5f, 0, 1f, 0f, 2), row, 1 / 30.0, 4 / 30.0, 9 / 30.0, 16 / 30.0, 0);
        assertFrequencies(random(1f, 2, 1f, 0f, 3), row, 0, 0, 3 / 7.0, 4 / 7.0, 0);
        assertFrequencies(random(1f, 100, 0.69f, 0f, 4), row, 0, 0, 3 / 7.0, 4 / 7.0, 0);
        assertFrequencies(random(1f, 0, 0.71f, 0f, 5), row, 0, 2 / 9.0, 3 / 9.0, 4 / 9.0, 0);
        assertFrequencies(random(1f, 0, 1f, 0.49f, 6), row, 0, 2 / 9.0, 3 / 9.0, 4 / 9.0, 0);
        assertFrequencies(random(1f, 0, 1e-6f, 0f, 7), row, 0, 0, 0, 1, 0);
        assertFrequencies(random(1f, 3, 0.5f, 0.6f, 8), row, 0, 0, 3 / 7.0, 4 / 7.0, 0);
        assertFrequencies(random(2f, 0, 0.69f, 0f, 9), row, 0, 0,
                Math.sqrt(3) / (Math.sqrt(3) + 2), 2 / (Math.sqrt(3) + 2), 0);
        assertFrequencies(random(Float.MIN_VALUE, 0, 1f, 0f, 10), row, 0, 0, 0, 1, 0);
    }

    @Test
    void shouldDependOnSeedAndStepOnly() {
        float[] flat = new float[1000];
        String first = tokens(new Sampler(KERNELS, random(1f, 0, 1f, 0f, 42), 1000, NO_PROMPT), flat, 20);
        assertEquals(first, tokens(new Sampler(KERNELS, random(1f, 0, 1f, 0f, 42), 1000, new int[] {5, 6}), flat, 20));
        assertNotEquals(first, tokens(new Sampler(KERNELS, random(1f, 0, 1f, 0f, 43), 1000, NO_PROMPT), flat, 20));
        Sampler sharpFirst = new Sampler(KERNELS, random(1f, 0, 1f, 0f, 42), 1000, NO_PROMPT);
        float[] sharp = new float[1000];
        sharp[3] = 1e6f;
        assertEquals(3, sharpFirst.sample(sharp, 0).token());
        Sampler other = new Sampler(KERNELS, random(1f, 0, 1f, 0f, 42), 1000, NO_PROMPT);
        assertNotEquals(-1, other.sample(flat, 0).token());
        assertEquals(other.sample(flat, 0).token(), sharpFirst.sample(flat, 0).token(), "one number per token, whatever the row");
    }

    @Test
    void shouldUseSplitMix64() {
        SplittableRandom random = new SplittableRandom(1234567); // numbers of the published reference implementation
        assertEquals(6457827717110365317L, random.nextLong());
        assertEquals(3203168211198807973L, random.nextLong());
        float[] flat = new float[1 << 20];
        Sampler sampler = new Sampler(KERNELS, random(1f, 0, 1f, 0f, 1234567), flat.length, NO_PROMPT);
        assertEquals((int) (6457827717110365317L >>> 44), sampler.sample(flat, 0).token(), "the upper 20 bits");
        assertEquals((int) (3203168211198807973L >>> 44), sampler.sample(flat, 0).token());
    }

    @Test
    void shouldGiveLogprobsOfTheUnmodifiedLogits() {
        float[] row = {0f, (float) Math.log(2), (float) Math.log(3), (float) Math.log(2), BAN, (float) Math.log(2)};
        SamplingParams params = new SamplingParams(0f, 1, 0.1f, 1f, 2f, 0f, 0f, Map.of(0, 20f, 2, BAN), 0, 4);
        Sample sample = new Sampler(KERNELS, params, row.length, new int[] {0, 1}).sample(row, 0);
        assertEquals(0, sample.token());
        assertEquals(Math.log(0.1), sample.logprob(), 1e-6);
        assertArrayEquals(new int[] {2, 1, 3, 5}, sample.topTokens());
        assertArrayEquals(
                new float[] {(float) Math.log(0.3), (float) Math.log(0.2), (float) Math.log(0.2), (float) Math.log(0.2)},
                sample.topLogprobs(), 1e-6f);
        Sample chosenOnly = new Sampler(KERNELS, withLogprobs(0), row.length, NO_PROMPT).sample(row, 0);
        assertEquals(Math.log(0.3), chosenOnly.logprob(), 1e-6);
        assertEquals(0, chosenOnly.topTokens().length);
        Sample all = new Sampler(KERNELS, withLogprobs(20), row.length, NO_PROMPT).sample(row, 0);
        assertArrayEquals(new int[] {2, 1, 3, 5, 0, 4}, all.topTokens());
        assertEquals(BAN, all.topLogprobs()[5]);
        assertTrue(Float.isNaN(new Sampler(KERNELS, withLogprobs(-1), row.length, NO_PROMPT).sample(row, 0).logprob()));
    }

    @Test
    void shouldCheckIdsAgainstTheVocabulary() {
        InvalidSamplingException bias =
                assertThrows(InvalidSamplingException.class, () -> new Sampler(KERNELS, bias(Map.of(4, 1f)), 4, NO_PROMPT));
        assertEquals("logit_bias names a token outside the vocabulary: token=4, vocabulary=4", bias.getMessage());
        assertEquals("logit_bias", bias.field());
        assertThrows(IllegalArgumentException.class, () -> new Sampler(KERNELS, SamplingParams.greedy(), 4, new int[] {4}));
        assertThrows(IllegalArgumentException.class, () -> new Sampler(KERNELS, SamplingParams.greedy(), 0, NO_PROMPT));
    }

    private static Sampler greedy() {
        return new Sampler(KERNELS, SamplingParams.greedy(), 4, NO_PROMPT);
    }

    private static SamplingParams random(float temperature, int topK, float topP, float minP, long seed) {
        return new SamplingParams(temperature, topK, topP, minP, 1f, 0f, 0f, Map.of(), seed, -1);
    }

    private static SamplingParams bias(Map<Integer, Float> bias) {
        return new SamplingParams(0f, 0, 1f, 0f, 1f, 0f, 0f, bias, 0, -1);
    }

    private static SamplingParams penalties(float repetition, float presence, float frequency) {
        return new SamplingParams(0f, 0, 1f, 0f, repetition, presence, frequency, Map.of(), 0, -1);
    }

    private static SamplingParams withLogprobs(int topLogprobs) {
        return new SamplingParams(0f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), 0, topLogprobs);
    }

    private static InvalidLogitsException refusal(Sampler sampler, float... row) {
        return assertThrows(InvalidLogitsException.class, () -> sampler.sample(row, 0));
    }

    private static String tokens(Sampler sampler, float[] row, int steps) {
        return IntStream.range(0, steps).map(step -> sampler.sample(row, 0).token()).boxed().toList().toString();
    }

    /** 100,000 draws lie within 5 standard deviations of the binomial distribution. */
    private static void assertFrequencies(SamplingParams params, float[] row, double... probabilities) {
        int draws = 100_000;
        int[] counts = new int[row.length];
        Sampler sampler = new Sampler(KERNELS, params, row.length, NO_PROMPT);
        for (int i = 0; i < draws; i++) {
            counts[sampler.sample(row, 0).token()]++;
        }
        for (int id = 0; id < counts.length; id++) {
            double p = probabilities[id];
            assertEquals(draws * p, counts[id], 5 * Math.sqrt(draws * p * (1 - p)), "token=" + id + ", " + params);
        }
    }
}
