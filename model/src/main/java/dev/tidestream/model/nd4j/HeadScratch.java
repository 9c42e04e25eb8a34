package dev.tidestream.model.nd4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What one call to a head needs off-heap: the hidden states {@code (rows, H)} and one row of logits {@code (V)}. */
final class HeadScratch implements AutoCloseable {
    private static final int CACHE_LINE = 64;

    private final Arena arena;
    private final int rows;
    private final MemorySegment hidden; // (rows, H)
    private final MemorySegment logits; // (V)
    private final NativeFloats[] hiddenRows; // (rows) of (H)
    private final NativeFloats[] logitTiles; // (tiles) of (tile)

    @SuppressWarnings("MustBeClosedChecker") // closed with this scratch
    HeadScratch(int rows, int hiddenSize, int vocabularySize, int tile, int tiles) {
        this.rows = rows;
        this.arena = Arena.ofShared();
        this.hidden = arena.allocate((long) rows * hiddenSize * Float.BYTES, CACHE_LINE);
        this.logits = arena.allocate((long) vocabularySize * Float.BYTES, CACHE_LINE);
        this.hiddenRows = NativeFloats.every(hiddenSize, rows, hidden.address(), (long) rows * hiddenSize);
        this.logitTiles = NativeFloats.every(tile, tiles, logits.address(), vocabularySize);
    }

    int rows() {
        return rows;
    }

    void setHidden(float[] values, int count) {
        MemorySegment.copy(values, 0, hidden, ValueLayout.JAVA_FLOAT, 0, count);
    }

    void copyLogits(int from, float[] out, int outOffset, int count) {
        MemorySegment.copy(logits, ValueLayout.JAVA_FLOAT, (long) from * Float.BYTES, out, outOffset, count);
    }

    NativeFloats hiddenRow(int row) {
        return hiddenRows[row];
    }

    NativeFloats logitTile(int tile) {
        return logitTiles[tile];
    }

    @Override
    public void close() {
        arena.close();
    }
}
