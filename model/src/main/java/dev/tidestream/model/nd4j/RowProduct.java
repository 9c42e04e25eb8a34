package dev.tidestream.model.nd4j;

import java.util.concurrent.ConcurrentLinkedQueue;

import org.bytedeco.openblas.global.openblas_nolapack;

import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Logits from a transposed embedding {@code (H, V)}: hidden states {@code (n, H)} times it, one row at a time, in tiles of
 * columns that the team shares.
 *
 * <p><b>Bits.</b> A matrix times 16 rows is another routine than a matrix times one, with other bits (measured), so every row is a
 * GEMV of its own. A tile begins at a multiple of {@value #TILE} whatever the team, and a GEMV over one tile by one thread is
 * always the same sequence of roundings. So a row's bits are the same alone and in a batch, with any team, on every call.
 *
 * <p><b>Why not {@code INDArray.mmul}.</b> It copies a tile that is a view, and every operation through ND4J's executioner leaves
 * about 1 KB of native memory behind, until a garbage collection if JavaCPP's collector runs and for ever if not (measured:
 * 50,000 products, 47 MB). The same {@code cblas_sgemv} that ND4J calls in the end is called here, on the array's memory.
 *
 * <p>Any number of threads at once; scratch space is lent per call and kept for the next.
 */
final class RowProduct implements AutoCloseable {
    /** Columns of a tile: measured fastest with 4096 and 8192, and 4096 leaves more tiles to share. */
    static final int TILE = 4096;

    private static final int ROW_MAJOR = 101;
    private static final int TRANSPOSED = 112;

    private final int hiddenSize;
    private final int vocabularySize;
    private final int tiles;
    private final ConcurrentLinkedQueue<HeadScratch> idle = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    RowProduct(int hiddenSize, int vocabularySize) {
        this.hiddenSize = hiddenSize;
        this.vocabularySize = vocabularySize;
        this.tiles = Math.ceilDiv(vocabularySize, TILE);
    }

    /** Pointers to the tiles of a matrix {@code (H, V)}, row-major, at {@code address}. */
    NativeFloats[] tilesOf(long address) {
        return NativeFloats.every(TILE, tiles, address, (long) hiddenSize * vocabularySize);
    }

    /**
     * Multiplies.
     *
     * @param matrix what {@link #tilesOf} said
     * @param hidden {@code (rows, H)} from offset 0
     * @param logits receives {@code (rows, V)} from offset 0
     */
    void multiply(NativeFloats[] matrix, float[] hidden, int rows, float[] logits, WorkerTeam team) {
        HeadScratch scratch = borrow(rows);
        try {
            scratch.setHidden(hidden, rows * hiddenSize);
            team.forEachRange(tiles, 1, (from, to) -> {
                for (int tile = from; tile < to; tile++) {
                    int first = tile * TILE;
                    int width = Math.min(TILE, vocabularySize - first);
                    for (int row = 0; row < rows; row++) {
                        openblas_nolapack.cblas_sgemv(ROW_MAJOR, TRANSPOSED, hiddenSize, width, 1f, matrix[tile], vocabularySize,
                                scratch.hiddenRow(row), 1, 0f, scratch.logitTile(tile), 1);
                        scratch.copyLogits(first, logits, row * vocabularySize + first, width);
                    }
                }
            });
        } finally {
            giveBack(scratch);
        }
    }

    private HeadScratch borrow(int rows) {
        HeadScratch scratch = idle.poll();
        if (scratch != null) {
            if (scratch.rows() >= rows) {
                return scratch;
            }
            scratch.close();
        }
        return new HeadScratch(rows, hiddenSize, vocabularySize, TILE, tiles);
    }

    private void giveBack(HeadScratch scratch) {
        idle.add(scratch);
        if (closed) {
            close();
        }
    }

    @Override
    public void close() {
        closed = true;
        for (HeadScratch scratch = idle.poll(); scratch != null; scratch = idle.poll()) {
            scratch.close();
        }
    }
}
