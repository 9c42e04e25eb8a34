package dev.tidestream.server.bench.cluster;

import java.util.List;
import java.util.function.LongConsumer;

import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCacheShape;
import dev.tidestream.model.transformer.LanguageModel;

/** A model that computes nothing and says how long that would have taken. Its logits {@code (rows, 16)} are the same for all rows. */
final class PacedModel implements LanguageModel {
    static final int VOCABULARY = 16;
    static final int CONTEXT = 8192;
    static final int LIKELIEST = 3;
    static final KvCacheShape SHAPE = new KvCacheShape(1, 1, 1, KvType.F16);

    private final Machine machine;
    private final LongConsumer tookNs;
    private final float[] row = new float[VOCABULARY];

    /** @param tookNs is told how long a pass took */
    PacedModel(Machine machine, LongConsumer tookNs) {
        this.machine = machine;
        this.tookNs = tookNs;
        row[LIKELIEST] = 1f;
    }

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public int contextLength() {
        return CONTEXT;
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
        return machine.maxRows();
    }

    @Override
    public int forward(List<Slice> slices, float[] logits) {
        int rows = 0;
        long positions = 0;
        int written = 0;
        for (Slice slice : slices) {
            rows += slice.count();
            positions += slice.count() == 1 ? slice.cache().length() : 0;
            slice.cache().advance(slice.count());
            if (slice.logits() == LogitsRows.ALL) {
                throw new IllegalArgumentException("nobody scores prompts here");
            }
            if (slice.logits() == LogitsRows.LAST) {
                System.arraycopy(row, 0, logits, written++ * VOCABULARY, VOCABULARY);
            }
        }
        tookNs.accept(machine.stepNs(rows, positions));
        return written;
    }
}
