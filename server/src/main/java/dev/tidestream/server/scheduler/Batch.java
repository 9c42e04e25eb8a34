package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.server.epoch.ModelEpoch;

/**
 * What one forward pass takes: sequences of one epoch, with one slice each.
 *
 * @param sequences in the order of the slices
 */
record Batch(ModelEpoch epoch, List<Sequence> sequences, List<Slice> slices) {
    Batch(ModelEpoch epoch) {
        this(epoch, new ArrayList<>(), new ArrayList<>());
    }

    void add(Sequence sequence, Slice slice) {
        sequences.add(sequence);
        slices.add(slice);
    }

    int rows() {
        return slices.stream().mapToInt(Slice::count).sum();
    }

    /** Rows that make a token each. */
    int decodedRows() {
        return (int) slices.stream().filter(slice -> slice.count() == 1 && slice.logits() == LogitsRows.LAST).count();
    }

    int logitsRows() {
        return slices.stream().mapToInt(Batch::logitsRows).sum();
    }

    static int logitsRows(Slice slice) {
        return switch (slice.logits()) {
            case NONE -> 0;
            case LAST -> 1;
            case ALL -> slice.count();
        };
    }

    /** The rows of logits that tokens are sampled from. */
    int[] sampledRows() {
        int[] rows = new int[slices.size()];
        int sampled = 0;
        int row = 0;
        for (Slice slice : slices) {
            if (slice.logits() == LogitsRows.LAST) {
                rows[sampled++] = row;
            }
            row += logitsRows(slice);
        }
        return Arrays.copyOf(rows, sampled);
    }

    /** The sequences that get a token. */
    List<Sequence> sampled() {
        List<Sequence> sampled = new ArrayList<>(sequences.size());
        for (int i = 0; i < sequences.size(); i++) {
            if (slices.get(i).logits() == LogitsRows.LAST) {
                sampled.add(sequences.get(i));
            }
        }
        return sampled;
    }
}
