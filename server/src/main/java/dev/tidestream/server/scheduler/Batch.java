package dev.tidestream.server.scheduler;

import java.util.ArrayList;
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

    int logitsRows() {
        return (int) slices.stream().filter(slice -> slice.logits() == LogitsRows.LAST).count();
    }

    /** The sequences that get a token, in the order of the rows of logits. */
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
