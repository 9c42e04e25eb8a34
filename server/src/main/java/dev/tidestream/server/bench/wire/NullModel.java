package dev.tidestream.server.bench.wire;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.server.bench.cluster.Machine;

/**
 * A model that computes nothing: its logits {@code (rows, 256)} are the same for all rows. What is left of a step is the server's, and what
 * a {@link Pace} waits.
 */
final class NullModel implements LanguageModel {
    /** What a pass takes beside nothing. */
    @FunctionalInterface
    interface Pace {
        /** Each pass is over at once. */
        Pace NONE = rows -> { };

        /** Returns when a pass of so many rows, which begins now, would be over. */
        void pass(int rows);

        /** As long as a machine was measured to take; the thread sleeps meanwhile. */
        static Pace of(Machine machine) {
            return rows -> {
                long endNs = System.nanoTime() + machine.stepNs(Math.min(rows, machine.maxRows()), 0);
                for (long leftNs = endNs - System.nanoTime(); leftNs > 0; leftNs = endNs - System.nanoTime()) {
                    LockSupport.parkNanos(leftNs);
                }
            };
        }
    }

    static final int VOCABULARY = 256;
    private static final int LIKELIEST = 'e';
    private static final KvCacheShape SHAPE = new KvCacheShape(1, 1, 1, KvType.F32);

    private final int contextLength;
    private final int maxRows;
    private final Pace pace;
    private final float[] row = new float[VOCABULARY];

    NullModel(int contextLength, int maxRows, Pace pace) {
        this.pace = pace;
        this.contextLength = contextLength;
        this.maxRows = maxRows;
        row[LIKELIEST] = 1f;
    }

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public KvCacheShape kvCacheShape() {
        return SHAPE;
    }

    @Override
    public Kernels kernels() {
        return KernelSelection.fastest();
    }

    @Override
    public int maxRows() {
        return maxRows;
    }

    @Override
    public int forward(List<Slice> slices, float[] logits) {
        int written = 0;
        int rows = 0;
        for (Slice slice : slices) {
            rows += slice.count();
            slice.cache().advance(slice.count());
            int wanted = switch (slice.logits()) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> slice.count();
            };
            for (int i = 0; i < wanted; i++) {
                System.arraycopy(row, 0, logits, written++ * VOCABULARY, VOCABULARY);
            }
        }
        pace.pass(rows);
        return written;
    }
}
