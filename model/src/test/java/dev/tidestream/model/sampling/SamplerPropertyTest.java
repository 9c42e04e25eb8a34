package dev.tidestream.model.sampling;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** The sampler against its definition: adjust, sort everything, cut, draw. Rows have ties, extremes and banned tokens. */
class SamplerPropertyTest {
    private static final Kernels KERNELS = KernelSelection.fastest();

    @Test
    void shouldChooseLikeTheDefinitionOnSmallVocabularies() {
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            compare(random, 1 + random.nextInt(40), 4, "seed=" + seed);
        }
    }

    @Test
    void shouldChooseLikeTheDefinitionOnLargeVocabularies() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            compare(random, 300 + random.nextInt(8_000), 2, "seed=" + seed);
        }
    }

    @Test
    void shouldGiveTheSameBitsWithSharedScratchAndAnyOffset() {
        Random random = new Random(1);
        int vocabulary = 1_000;
        SamplerScratch scratch = new SamplerScratch(KernelSelection.scalar(), vocabulary);
        List<SamplingParams> params = IntStream.range(0, 16).mapToObj(i -> randomParams(random, vocabulary)).toList();
        List<Sampler> shared = params.stream().map(each -> new Sampler(each, scratch, new int[] {1, 2})).toList();
        List<Sampler> alone = params.stream().map(each -> new Sampler(KERNELS, each, vocabulary, new int[] {1, 2})).toList();
        for (int step = 0; step < 50; step++) {
            float[] row = randomRow(random, vocabulary);
            float[] rows = new float[3 * vocabulary];
            System.arraycopy(row, 0, rows, vocabulary, vocabulary);
            for (int i = 0; i < params.size(); i++) {
                assertSame(alone.get(i).sample(row, 0), shared.get(i).sample(rows, vocabulary), "sampler=" + i);
            }
        }
    }

    private static void compare(Random random, int vocabulary, int steps, String message) {
        SamplingParams params = randomParams(random, vocabulary);
        int[] prompt = random.ints(random.nextInt(6), 0, vocabulary).toArray();
        Sampler sampler = new Sampler(KERNELS, params, vocabulary, prompt);
        Oracle oracle = new Oracle(params, prompt);
        for (int step = 0; step < steps; step++) {
            float[] row = randomRow(random, vocabulary);
            float[] before = row.clone();
            assertSame(oracle.sample(row), sampler.sample(row, 0), message + ", step=" + step + ", " + params);
            assertArrayEquals(before, row, message);
        }
    }

    private static void assertSame(Sample expected, Sample actual, String message) {
        assertEquals(expected.token(), actual.token(), message);
        assertEquals(expected.logprob(), actual.logprob(), message);
        assertArrayEquals(expected.topTokens(), actual.topTokens(), message);
        assertArrayEquals(expected.topLogprobs(), actual.topLogprobs(), message);
    }

    private static SamplingParams randomParams(Random random, int vocabulary) {
        Map<Integer, Float> bias = new HashMap<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            bias.put(random.nextInt(vocabulary), random.nextInt(4) == 0 && vocabulary > 5
                    ? Float.NEGATIVE_INFINITY
                    : (float) random.nextGaussian() * 5);
        }
        return new SamplingParams(
                oneOf(random, 0f, 0.01f, 0.5f, 0.7f, 1f, 2f, 100f),
                random.nextBoolean() ? 0 : 1 + random.nextInt(vocabulary + 3),
                oneOf(random, 1f, 1f, 0.9f, 0.5f, 0.999f, 0.9999999f, 1e-9f),
                oneOf(random, 0f, 0f, 0.05f, 0.5f, 1f),
                oneOf(random, 1f, 1f, 1.1f, 0.5f),
                oneOf(random, 0f, 0f, 0.5f, -3f),
                oneOf(random, 0f, 0f, 0.25f, 100f),
                bias,
                random.nextLong(),
                random.nextInt(22) - 1);
    }

    private static float oneOf(Random random, float... values) {
        return values[random.nextInt(values.length)];
    }

    private static float[] randomRow(Random random, int vocabulary) {
        float[] row = new float[vocabulary];
        int kind = random.nextInt(5);
        for (int id = 0; id < vocabulary; id++) {
            row[id] = switch (kind) {
                case 0 -> random.nextInt(4) - 2; // many ties
                case 1 -> random.nextInt(3) == 0 && id > 7 ? Float.NEGATIVE_INFINITY : (float) random.nextGaussian();
                case 2 -> (random.nextBoolean() ? 1 : -1) * Float.MAX_VALUE * random.nextFloat();
                case 3 -> random.nextBoolean() ? 0f : -0f;
                default -> (float) random.nextGaussian() * 4;
            };
        }
        return row;
    }

    /** The definition, without regard to cost. */
    private static final class Oracle {
        private final SamplingParams params;
        private final int[] prompt;
        private final SplittableRandom random;
        private final Map<Integer, Integer> generated = new HashMap<>();

        Oracle(SamplingParams params, int[] prompt) {
            this.params = params;
            this.prompt = prompt;
            random = new SplittableRandom(params.seed());
        }

        Sample sample(float[] logits) {
            float[] adjusted = adjusted(logits);
            Integer[] order = order(adjusted);
            int token = params.temperature() == 0 ? order[0] : draw(adjusted, order);
            generated.merge(token, 1, Integer::sum);
            return params.topLogprobs() < 0
                    ? new Sample(token, Float.NaN, new int[0], new float[0])
                    : withLogprobs(token, logits);
        }

        private float[] adjusted(float[] logits) {
            float[] adjusted = logits.clone();
            params.logitBias().forEach((id, bias) -> adjusted[id] += bias);
            for (int id = 0; id < adjusted.length; id++) {
                int token = id;
                int times = generated.getOrDefault(id, 0);
                if (times > 0 || IntStream.of(prompt).anyMatch(seen -> seen == token)) {
                    adjusted[id] = adjusted[id] > 0
                            ? adjusted[id] / params.repetitionPenalty()
                            : adjusted[id] * params.repetitionPenalty();
                }
                if (times > 0) {
                    adjusted[id] = adjusted[id] - params.presencePenalty() - times * params.frequencyPenalty();
                }
                if (Float.isInfinite(adjusted[id]) && logits[id] != Float.NEGATIVE_INFINITY
                        && params.logitBias().getOrDefault(id, 0f) != Float.NEGATIVE_INFINITY) {
                    adjusted[id] = Math.copySign(Float.MAX_VALUE, adjusted[id]);
                }
            }
            return adjusted;
        }

        private static Integer[] order(float[] values) {
            Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
            Arrays.sort(order, Comparator.comparingDouble((Integer id) -> -(values[id] + 0.0)).thenComparingInt(id -> id));
            return order;
        }

        private int draw(float[] values, Integer[] order) {
            double uniform = (random.nextLong() >>> 11) * 0x1.0p-53;
            double max = values[order[0]];
            int kept = order.length;
            boolean cut = false;
            if (params.topK() > 0 && params.topK() < kept) {
                kept = params.topK();
                cut = true;
            }
            if (params.topP() < 1) {
                double total = 0;
                for (int i = 0; i < kept; i++) {
                    total += StrictMath.exp(values[cut ? order[i] : i] - max);
                }
                double sum = 0;
                for (int i = 0; i < kept; i++) {
                    sum += StrictMath.exp(values[order[i]] - max);
                    if (sum >= params.topP() * total) {
                        kept = i + 1;
                    }
                }
                cut = true;
            }
            int all = kept;
            for (int i = 1; i < all && params.minP() > 0; i++) {
                if (values[order[i]] < max + StrictMath.log(params.minP())) {
                    kept = Math.min(kept, i);
                }
            }
            int[] candidates = IntStream.range(0, kept).map(i -> order[i]).toArray();
            if (!cut) {
                Arrays.sort(candidates);
            }
            double[] weights = IntStream.of(candidates)
                    .mapToDouble(id -> StrictMath.exp((values[id] - max) / params.temperature())).toArray();
            double total = 0;
            for (double weight : weights) {
                total += weight;
            }
            double sum = 0;
            for (int i = 0; i < kept; i++) {
                sum += weights[i];
                if (sum > uniform * total) {
                    return candidates[i];
                }
            }
            throw new AssertionError("no candidate: uniform=" + uniform);
        }

        private Sample withLogprobs(int token, float[] logits) {
            Integer[] order = order(logits);
            double max = logits[order[0]];
            double sum = 0;
            for (float logit : logits) {
                sum += StrictMath.exp(logit - max);
            }
            double logSum = max + StrictMath.log(sum);
            int n = Math.min(params.topLogprobs(), logits.length);
            float[] logprobs = new float[n];
            for (int i = 0; i < n; i++) {
                logprobs[i] = (float) (logits[order[i]] - logSum);
            }
            return new Sample(token, (float) (logits[token] - logSum),
                    IntStream.range(0, n).map(i -> order[i]).toArray(), logprobs);
        }
    }
}
