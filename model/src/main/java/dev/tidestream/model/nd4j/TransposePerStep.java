package dev.tidestream.model.nd4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.AtomicBoolean;

import org.nd4j.linalg.api.ndarray.INDArray;

import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelUnpacker;

/**
 * Holds an embedding {@code (V, H)} as it stands in a file, and has ND4J make its transpose {@code (H, V)} on every call: the slow
 * baseline that the other layouts are measured against.
 *
 * <p>The transpose is made by the caller's thread alone, and takes as much memory again for as long as the call lasts. ND4J
 * leaves a few hundred bytes behind with every call.
 */
public final class TransposePerStep implements DenseHead {
    private static final int GRAIN_PANELS = 8;
    private static final int COLUMNS_AT_ONCE = 256;

    private final DenseMatrix embedding; // (V, H)
    private final INDArray transposedView; // (H, V), the same memory
    private final RowProduct product;
    private final AtomicBoolean open = new AtomicBoolean(true);

    private TransposePerStep(DenseMatrix embedding, int hiddenSize, int vocabularySize) {
        this.embedding = embedding;
        this.transposedView = embedding.array().transpose();
        this.product = new RowProduct(hiddenSize, vocabularySize);
    }

    /**
     * Copies an embedding {@code (V, H)}, exactly; split over the team by panels.
     *
     * @throws Nd4jException if there is no memory for it, or no ND4J
     */
    public static TransposePerStep of(PanelMatrix panels, WorkerTeam team) {
        DenseMatrix embedding = new DenseMatrix(panels.rows(), panels.columns());
        boolean done = false;
        try {
            team.forEachRange(panels.panels(), GRAIN_PANELS, (from, to) -> fill(panels, from, to, embedding.data()));
            TransposePerStep head = new TransposePerStep(embedding, panels.columns(), panels.rows());
            done = true;
            return head;
        } finally {
            if (!done) {
                embedding.close();
            }
        }
    }

    private static void fill(PanelMatrix panels, int fromPanel, int toPanel, MemorySegment out) {
        float[] columns = new float[COLUMNS_AT_ONCE * PanelUnpacker.PANEL_ROWS];
        float[] row = new float[COLUMNS_AT_ONCE];
        for (int panel = fromPanel; panel < toPanel; panel++) {
            int token = panel * PanelUnpacker.PANEL_ROWS;
            int lanes = Math.min(PanelUnpacker.PANEL_ROWS, panels.rows() - token);
            for (int k = 0; k < panels.columns(); k += COLUMNS_AT_ONCE) {
                int end = Math.min(k + COLUMNS_AT_ONCE, panels.columns());
                PanelUnpacker.unpack(panels, panel, k, end, columns);
                for (int lane = 0; lane < lanes; lane++) {
                    for (int i = 0; i < end - k; i++) {
                        row[i] = columns[i * PanelUnpacker.PANEL_ROWS + lane];
                    }
                    long at = (long) (token + lane) * panels.columns() + k;
                    MemorySegment.copy(row, 0, out, ValueLayout.JAVA_FLOAT, at * Float.BYTES, end - k);
                }
            }
        }
    }

    @Override
    public void logits(float[] hidden, int rows, float[] logits, WorkerTeam team) {
        if (!open.get()) {
            throw new IllegalStateException("closed");
        }
        INDArray transpose = transpose();
        try {
            product.multiply(product.tilesOf(transpose.data().address()), hidden, rows, logits, team);
        } finally {
            transpose.close();
        }
    }

    private INDArray transpose() {
        try {
            return transposedView.dup('c');
        } catch (OutOfMemoryError | RuntimeException e) {
            throw new Nd4jException("the transpose of this step cannot be made: bytes=%d: %s".formatted(bytes(), e), e);
        }
    }

    @Override
    public long bytes() {
        return embedding.bytes();
    }

    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            product.close();
            embedding.close();
        }
    }
}
