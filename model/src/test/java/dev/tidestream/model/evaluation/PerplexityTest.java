package dev.tidestream.model.evaluation;

import java.util.Arrays;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.TestModels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Against the definition, computed from the logits of one token after the other: equal bits. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PerplexityTest {
    private static final int BOS = 1;
    private static final int[] TEXT = new SplittableRandom(7).ints(150, 3, 500).toArray();

    private LoadedModel model;

    @BeforeAll
    void load() {
        model = TestModels.load("models/stories260K/stories260K.gguf", KernelSelection.fastest());
    }

    @AfterAll
    void close() {
        if (model != null) { // the folder may be missing
            model.close();
        }
    }

    private LanguageModel forward(int rows) {
        return model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, rows);
    }

    /** Computed with the logits of one row after the other. */
    private Perplexity.Result expected(Windows windows, OptionalInt first, int vocabulary) {
        double sum = 0;
        double squares = 0;
        int counted = 0;
        for (int window = 0; window < windows.count(TEXT.length); window++) {
            int[] tokens = Arrays.copyOfRange(TEXT, windows.start(window), windows.start(window) + windows.context());
            int[] inputs = tokens.clone();
            first.ifPresent(token -> inputs[0] = token);
            float[] logits = TestModels.logits(forward(1), inputs, 1);
            for (int i = windows.firstCounted(); i < windows.context(); i++) {
                double loss = -logProbability(logits, (i - 1) * model.blueprint().vocabularySize(), vocabulary, tokens[i]);
                sum += loss;
                squares += loss * loss;
                counted++;
            }
        }
        double mean = sum / counted;
        double error = StrictMath.sqrt((squares / counted - mean * mean) / (counted - 1));
        return new Perplexity.Result(
                StrictMath.exp(mean), error * StrictMath.exp(mean), mean, windows.count(TEXT.length), counted);
    }

    private static double logProbability(float[] logits, int from, int vocabulary, int token) {
        float max = (float) IntStream.range(0, vocabulary).mapToDouble(i -> logits[from + i]).max().orElseThrow();
        double sum = 0;
        for (int i = 0; i < vocabulary; i++) {
            sum += StrictMath.exp((double) logits[from + i] - max);
        }
        return logits[from + token] - (max + StrictMath.log(sum));
    }

    @Test
    void shouldCountTheSecondHalfOfEachWindow() {
        Windows windows = new Windows(32, 0);
        assertEquals(4, windows.count(TEXT.length));
        assertEquals(17, windows.firstCounted());
        Perplexity.Result expected = expected(windows, OptionalInt.of(BOS), 512);
        assertEquals(4 * 15, expected.counted());
        for (int rows : new int[] {1, 7, 32, 64}) {
            Perplexity perplexity = new Perplexity(forward(rows), 512, OptionalInt.of(BOS), windows, WorkerTeam.sequential());
            int[] computed = {0};
            Perplexity.Result result = perplexity.of(TEXT, count -> computed[0] += count);
            assertBits(expected, result);
            assertEquals(4 * 31, computed[0]);
        }
    }

    @Test
    void shouldCountEachTokenBehindTheFirstWindowOnceWithAStride() {
        Windows windows = new Windows(32, 10);
        assertEquals(12, windows.count(TEXT.length));
        assertEquals(22, windows.firstCounted());
        assertBits(expected(windows, OptionalInt.empty(), 500),
                new Perplexity(forward(16), 500, OptionalInt.empty(), windows, new Interleaved()).of(TEXT, count -> { }));
    }

    @Test
    void shouldGiveTheSameBitsHoweverWorkIsSplit() {
        Windows windows = new Windows(33, 0);
        assertBits(new Perplexity(forward(16), 512, OptionalInt.of(BOS), windows, WorkerTeam.sequential()).of(TEXT, count -> { }),
                new Perplexity(forward(16), 512, OptionalInt.of(BOS), windows, new Interleaved()).of(TEXT, count -> { }));
    }

    @Test
    void shouldRefuseATextThatIsShorterThanAWindow() {
        Perplexity perplexity = new Perplexity(forward(16), 512, OptionalInt.empty(), new Windows(151, 0), WorkerTeam.sequential());
        assertThrows(IllegalArgumentException.class, () -> perplexity.of(TEXT, count -> { }));
        assertThrows(IllegalArgumentException.class, () -> new Windows(8, 8));
        assertThrows(IllegalArgumentException.class, () -> new Windows(1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Windows(2, 0), "no token would count");
        assertEquals(1, new Windows(3, 0).counted());
        assertEquals(1, new Windows(2, 1).counted());
    }

    private static void assertBits(Perplexity.Result expected, Perplexity.Result actual) {
        assertEquals(expected, actual); // records compare doubles by their bits
    }

    /** Two threads' shares, of ranges of three, the last first. */
    private record Interleaved() implements WorkerTeam {
        @Override
        public int size() {
            return 2;
        }

        @Override
        public void forEachRange(int items, int grain, RangeTask task) {
            for (int from = (items - 1) / 3 * 3; from >= 0; from -= 3) {
                task.run(from, Math.min(from + 3, items));
            }
        }
    }
}
