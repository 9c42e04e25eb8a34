package dev.tidestream.model.nd4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelUnpacker;

/** Holds the transpose {@code (H, V)} of an embedding. */
public final class CachedTranspose implements DenseHead {
    private static final int GRAIN_PANELS = 8;
    private static final int COLUMNS_AT_ONCE = 256;

    private final DenseMatrix transpose; // (H, V)
    private final RowProduct product;
    private final NativeFloats[] tiles; // of the transpose
    private final AtomicBoolean open = new AtomicBoolean(true);

    private CachedTranspose(PanelMatrix embedding, DenseMatrix transpose) {
        this.transpose = transpose;
        this.product = new RowProduct(embedding.columns(), embedding.rows());
        this.tiles = product.tilesOf(transpose.data().address());
    }

    /**
     * Copies an embedding {@code (V, H)} into a transpose of its own, exactly; split over the team by panels.
     *
     * @throws Nd4jException if there is no memory for it, or no ND4J
     */
    public static CachedTranspose of(PanelMatrix embedding, WorkerTeam team) {
        DenseMatrix transpose = new DenseMatrix(embedding.columns(), embedding.rows());
        boolean done = false;
        try {
            team.forEachRange(embedding.panels(), GRAIN_PANELS, (from, to) -> fill(embedding, from, to, transpose.data()));
            CachedTranspose head = new CachedTranspose(embedding, transpose);
            done = true;
            return head;
        } finally {
            if (!done) {
                transpose.close();
            }
        }
    }

    private static void fill(PanelMatrix embedding, int fromPanel, int toPanel, MemorySegment out) {
        float[] columns = new float[COLUMNS_AT_ONCE * PanelUnpacker.PANEL_ROWS];
        long vocabularySize = embedding.rows();
        for (int panel = fromPanel; panel < toPanel; panel++) {
            int token = panel * PanelUnpacker.PANEL_ROWS;
            int lanes = Math.min(PanelUnpacker.PANEL_ROWS, embedding.rows() - token);
            for (int k = 0; k < embedding.columns(); k += COLUMNS_AT_ONCE) {
                int end = Math.min(k + COLUMNS_AT_ONCE, embedding.columns());
                PanelUnpacker.unpack(embedding, panel, k, end, columns);
                for (int i = 0; i < end - k; i++) {
                    MemorySegment.copy(columns, i * PanelUnpacker.PANEL_ROWS, out, ValueLayout.JAVA_FLOAT,
                            ((k + i) * vocabularySize + token) * Float.BYTES, lanes);
                }
            }
        }
    }

    @Override
    public void logits(float[] hidden, int rows, float[] logits, WorkerTeam team) {
        if (!open.get()) {
            throw new IllegalStateException("closed");
        }
        product.multiply(tiles, hidden, rows, logits, team);
    }

    @Override
    public long bytes() {
        return transpose.bytes();
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            product.close();
            transpose.close();
        }
    }
}
