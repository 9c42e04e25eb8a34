package dev.tidestream.model.evaluation;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntConsumer;

import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCaches;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;

/**
 * The perplexity of a text: e to the mean of {@code -ln p} over the tokens that count ({@link Windows}), where p is the
 * probability that
 * the model gave the token, under the softmax of all its tokens.
 *
 * <p>Windows are computed one after the other, each in passes of as many rows as the model takes. The softmax of a row is
 * computed in
 * double, by one thread, in the order of the ids, and rows are summed up in the order of the text: the bits do not depend on the
 * number
 * of threads, nor on how many rows a pass takes.
 */
public final class Perplexity {
    private static final int BLOCK = 1024; // exponentials in one go; their sum does not depend on it

    private final LanguageModel model;
    private final int vocabulary;
    private final OptionalInt first;
    private final Windows windows;
    private final WorkerTeam team;

    /**
     * What came out.
     *
     * @param perplexity of the tokens that count
     * @param standardError of the perplexity: that of the mean of {@code -ln p}, times the perplexity, as llama.cpp has it
     * @param meanNegativeLogLikelihood the mean of {@code -ln p}, in nats
     * @param windows that were computed
     * @param counted tokens that count, in all windows
     */
    public record Result(double perplexity, double standardError, double meanNegativeLogLikelihood, int windows, int counted) {}

    /**
     * @param model used by the calling thread alone, meanwhile
     * @param vocabulary tokens of the tokenizer; logits behind them are padding, and no part of the softmax
     * @param first what every window begins with in place of its own first token: BOS, if the model wants one
     * @param team computes probabilities; may be the one of the model
     */
    public Perplexity(LanguageModel model, int vocabulary, OptionalInt first, Windows windows, WorkerTeam team) {
        if (vocabulary < 1 || vocabulary > model.vocabularySize() || windows.context() > model.contextLength()) {
            throw new IllegalArgumentException("vocabulary=%d, rows=%d, window=%d, context_length=%d"
                    .formatted(vocabulary, model.vocabularySize(), windows.context(), model.contextLength()));
        }
        this.model = model;
        this.vocabulary = vocabulary;
        this.first = first;
        this.windows = windows;
        this.team = team;
    }

    /**
     * Computes it.
     *
     * @param tokens the text {@code (n)}; at least one window of them
     * @param progress told after each pass how many rows it had; together {@code windows * (context - 1)}
     */
    public Result of(int[] tokens, IntConsumer progress) {
        int count = windows.count(tokens.length);
        if (count == 0) {
            throw new IllegalArgumentException("tokens=%d, window=%d".formatted(tokens.length, windows.context()));
        }
        double[] losses = new double[windows.counted()];
        double sum = 0;
        double squares = 0;
        try (Arena arena = new PageArena()) {
            KvCache cache = KvCaches.cache(model, windows.context() - 1, arena); // nothing is predicted from the last token
            float[] logits = new float[Math.min(model.maxRows(), windows.context()) * model.vocabularySize()];
            for (int window = 0; window < count; window++) {
                int start = windows.start(window);
                cache.truncate(0);
                window(Arrays.copyOfRange(tokens, start, start + windows.context()), cache, logits, losses, progress);
                for (double loss : losses) {
                    sum += loss;
                    squares += loss * loss;
                }
            }
        }
        return result(sum, squares, count, count * losses.length);
    }

    private static Result result(double sum, double squares, int windows, int counted) {
        double mean = sum / counted;
        double variance = Math.max(0, squares / counted - mean * mean);
        double perplexity = StrictMath.exp(mean);
        double error = counted < 2 ? 0 : StrictMath.sqrt(variance / (counted - 1)) * perplexity;
        return new Result(perplexity, error, mean, windows, counted);
    }

    /** @param losses receives {@code -ln p} of each token that counts */
    private void window(int[] tokens, KvCache cache, float[] logits, double[] losses, IntConsumer progress) {
        int[] inputs = tokens.clone();
        first.ifPresent(token -> inputs[0] = token);
        int firstRow = windows.firstCounted() - 1; // whose logits are looked at
        int rows = Math.min(model.maxRows(), tokens.length);
        int from = 0;
        while (from < tokens.length - 1) {
            boolean looked = from >= firstRow;
            int count = Math.min(rows, (looked ? tokens.length - 1 : firstRow) - from);
            model.forward(List.of(new Slice(cache, inputs, from, count, looked ? LogitsRows.ALL : LogitsRows.NONE)), logits);
            if (looked) {
                int position = from;
                team.forEachRange(count, 1, (begin, end) -> {
                    double[] block = new double[BLOCK];
                    for (int row = begin; row < end; row++) {
                        int at = position + row;
                        losses[at - firstRow] = loss(logits, row * model.vocabularySize(), tokens[at + 1], block);
                    }
                });
            }
            from += count;
            progress.accept(count);
        }
    }

    private double loss(float[] logits, int from, int token, double[] block) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < vocabulary; i++) {
            max = Math.max(max, logits[from + i]);
        }
        Kernels kernels = model.kernels();
        double sum = 0;
        for (int i = 0; i < vocabulary; i += BLOCK) {
            int count = Math.min(BLOCK, vocabulary - i);
            kernels.exponentials(logits, from + i, count, max, 1, block);
            for (int j = 0; j < count; j++) {
                sum += block[j];
            }
        }
        return max + StrictMath.log(sum) - logits[from + token];
    }
}
