package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.probe.LogitsProbe;
import dev.tidestream.server.scheduler.probe.SampledRow;

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

    /** Shows the rows of logits that tokens have been sampled from. */
    void show(LogitsProbe probe, BatchSampler sampler, float[] logits, int vocabularySize) {
        if (!probe.watches()) {
            return;
        }
        List<SampledRow> shown = new ArrayList<>(sequences.size());
        int row = 0;
        for (int i = 0; i < slices.size(); i++) {
            Slice slice = slices.get(i);
            if (slice.logits() == LogitsRows.LAST) {
                Sample sample = sampler.sample(shown.size());
                shown.add(new SampledRow(sequences.get(i).stream(), epoch.weightsVersion(), slice.tokens(), slice.from() + slice.count(),
                        slice.adapter(), logits, row * vocabularySize, sample == null ? SampledRow.NO_TOKEN : sample.token()));
            }
            row += logitsRows(slice);
        }
        probe.sampled(shown);
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
