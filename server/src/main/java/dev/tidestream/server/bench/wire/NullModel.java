package dev.tidestream.server.bench.wire;

import java.util.List;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.LanguageModel;

/** A model that computes nothing: its logits {@code (rows, 256)} are the same for all rows. What is left of a step is the server's. */
final class NullModel implements LanguageModel {
    static final int VOCABULARY = 256;
    private static final int LIKELIEST = 'e';
    private static final KvCacheShape SHAPE = new KvCacheShape(1, 1, 1, KvType.F32);

    private final int contextLength;
    private final int maxRows;
    private final float[] row = new float[VOCABULARY];

    NullModel(int contextLength, int maxRows) {
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
        for (Slice slice : slices) {
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
        return written;
    }
}
