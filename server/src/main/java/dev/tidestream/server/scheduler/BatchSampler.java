package dev.tidestream.server.scheduler;

import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Samples the tokens of a step from their rows of logits. A sequence's sampler sees its own row and its own state alone, so
 * several may work at once: from {@value #ROWS_TO_SHARE} rows on, the team shares them. What a sampler throws is kept for its own
 * sequence.
 */
final class BatchSampler {
    private static final int ROWS_TO_SHARE = 4;

    private final WorkerTeam team;
    private final int vocabularySize;
    private final WorkerTeam.RangeTask sampleRange = this::sampleRange; // made once, so that a region allocates nothing
    private List<Sequence> sequences = List.of(); // of the open region
    private int[] rowOf = {}; // by sequence
    private float[] logits = {}; // (n, vocabulary)
    private @Nullable Sample[] samples = {};
    private @Nullable Throwable[] failures = {};

    /** @param team works for the decode thread, between two forward passes */
    BatchSampler(WorkerTeam team, int vocabularySize) {
        this.team = team;
        this.vocabularySize = vocabularySize;
    }

    /**
     * Samples one token per sequence.
     *
     * @param sampledRows of the logits, one per sequence
     * @param rows of logits {@code (n, vocabulary)}
     */
    void sampleAll(List<Sequence> of, int[] sampledRows, float[] rows) {
        sequences = of;
        rowOf = sampledRows;
        logits = rows;
        int count = of.size();
        if (samples.length < count) {
            samples = new Sample[count];
            failures = new Throwable[count];
        }
        Arrays.fill(samples, null);
        Arrays.fill(failures, null);
        if (count < ROWS_TO_SHARE) {
            sampleRange(0, count);
        } else {
            team.forEachRange(count, 1, sampleRange);
        }
        sequences = List.of();
    }

    private void sampleRange(int from, int to) {
        for (int i = from; i < to; i++) {
            try {
                samples[i] = sequences.get(i).sample(logits, rowOf[i] * vocabularySize);
            } catch (Throwable e) { // handed to whoever asks for the sample
                failures[i] = e;
            }
        }
    }

    /** The sample of the i-th sequence; null if that failed. */
    @Nullable Sample sample(int i) {
        return samples[i];
    }

    /** Why the i-th sequence has no sample. */
    @Nullable Throwable failure(int i) {
        return failures[i];
    }
}
