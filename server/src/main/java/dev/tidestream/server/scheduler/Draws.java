package dev.tidestream.server.scheduler;

import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Draws the tokens of a step from their rows of logits. A sequence's sampler sees its own row and its own state alone, so several
 * may work at once: from {@value #ROWS_TO_SHARE} rows on, the team shares them. What a sampler throws is kept for its own sequence.
 */
final class Draws {
    private static final int ROWS_TO_SHARE = 4;

    private final WorkerTeam team;
    private final int vocabularySize;
    private final WorkerTeam.RangeTask draw = this::draw; // made once, so that a region allocates nothing
    private List<Sequence> sequences = List.of(); // of the open region
    private int[] rowOf = {}; // by sequence
    private float[] logits = {}; // (n, vocabulary)
    private @Nullable Sample[] samples = {};
    private @Nullable Throwable[] failures = {};

    /** @param team works for the decode thread, between two forward passes */
    Draws(WorkerTeam team, int vocabularySize) {
        this.team = team;
        this.vocabularySize = vocabularySize;
    }

    /**
     * Draws one token per sequence.
     *
     * @param drawingRows of the logits, one per sequence
     * @param rows of logits {@code (n, vocabulary)}
     */
    void drawAll(List<Sequence> drawing, int[] drawingRows, float[] rows) {
        sequences = drawing;
        rowOf = drawingRows;
        logits = rows;
        int count = drawing.size();
        if (samples.length < count) {
            samples = new Sample[count];
            failures = new Throwable[count];
        }
        Arrays.fill(samples, null);
        Arrays.fill(failures, null);
        if (count < ROWS_TO_SHARE) {
            draw(0, count);
        } else {
            team.forEachRange(count, 1, draw);
        }
        sequences = List.of();
    }

    private void draw(int from, int to) {
        for (int i = from; i < to; i++) {
            try {
                samples[i] = sequences.get(i).draw(logits, rowOf[i] * vocabularySize);
            } catch (Throwable e) { // handed to whoever asks for the sample
                failures[i] = e;
            }
        }
    }

    /** What was drawn for the i-th sequence; null if that failed. */
    @Nullable Sample sample(int i) {
        return samples[i];
    }

    /** Why nothing was drawn for the i-th sequence. */
    @Nullable Throwable failure(int i) {
        return failures[i];
    }
}
