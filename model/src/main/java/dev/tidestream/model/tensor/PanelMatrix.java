package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;

/**
 * A weight matrix in panels (see {@link PanelLayout}): off-heap, immutable once packed, safe for any number of threads. Lives
 * as long as the arena it was allocated from.
 */
public final class PanelMatrix {
    /** Panels begin at a cache line. */
    public static final int ALIGNMENT_BYTES = 64;

    private final TensorFormat format;
    private final int rows;
    private final int columns;
    private final long panelBytes;
    private final MemorySegment data; // (panels, panelBytes)

    private PanelMatrix(TensorFormat format, int rows, int columns, MemorySegment data) {
        this.format = format;
        this.rows = rows;
        this.columns = columns;
        this.panelBytes = format.panelBytes(columns);
        this.data = data.asReadOnly();
        if (data.byteSize() != panelBytes * panels()) {
            throw new IllegalArgumentException("panel matrix size: bytes=%d, expected=%d, rows=%d, columns=%d, format=%s"
                    .formatted(data.byteSize(), panelBytes * panels(), rows, columns, format));
        }
    }

    /** Number of the layout of all formats; panels of another number cannot be read. */
    public static int layoutVersion() {
        return PanelLayout.VERSION;
    }

    /** Bytes that a matrix takes in panels, padding included. */
    public static long panelBytes(TensorFormat format, int rows, int columns) {
        return PanelLayout.panels(rows) * format.panelBytes(columns);
    }

    /**
     * Takes over panels that were packed before by this version of the layout. What is in them is not checked.
     *
     * @param panels as {@link #panelData} gave them, {@link #panelBytes} long, at an address that is a multiple of
     *         {@value #ALIGNMENT_BYTES}
     */
    public static PanelMatrix ofPanels(TensorFormat format, int rows, int columns, MemorySegment panels) {
        if (rows < 1 || columns < 1 || columns % format.blockElements() != 0 || panels.address() % ALIGNMENT_BYTES != 0) {
            throw new IllegalArgumentException("no panels: rows=%d, columns=%d, format=%s, address=%x"
                    .formatted(rows, columns, format, panels.address()));
        }
        return new PanelMatrix(format, rows, columns, panels);
    }

    /**
     * Some rows, as a matrix over the same memory.
     *
     * @param from a whole number of panels
     * @param to beyond {@code from}; a whole number of panels, or the last row's successor
     */
    public PanelMatrix rows(int from, int to) {
        if (from < 0 || from % PanelLayout.ROWS != 0 || to <= from || to > rows || (to % PanelLayout.ROWS != 0 && to != rows)) {
            throw new IllegalArgumentException("no whole panels: from=%d, to=%d, of=%d".formatted(from, to, rows));
        }
        return new PanelMatrix(format, to - from, columns,
                data.asSlice(panelOffset(from / PanelLayout.ROWS), panelBytes(format, to - from, columns)));
    }

    /** The first panels, as a matrix of fewer rows over the same memory; all of them if there are no more. */
    public PanelMatrix first(int atMostPanels) {
        if (atMostPanels < 1) {
            throw new IllegalArgumentException("a matrix has a panel: atMostPanels=" + atMostPanels);
        }
        return atMostPanels >= panels() ? this
                : new PanelMatrix(format, atMostPanels * PanelLayout.ROWS, columns, data.asSlice(0, atMostPanels * panelBytes));
    }

    /**
     * A view of the same bytes as a smaller matrix, for warm-up only. Its values are valid, but they are not a sub-matrix: the
     * second panel of the view is what follows in the first panel of this matrix.
     *
     * @param atMostPanels at least 1
     * @param columns whole blocks, at most as many as this matrix has
     */
    public PanelMatrix narrow(int atMostPanels, int columns) {
        if (atMostPanels < 1 || columns < 1 || columns > this.columns || columns % format.blockElements() != 0) {
            throw new IllegalArgumentException("no such part: atMostPanels=%d, columns=%d, of=%d, format=%s"
                    .formatted(atMostPanels, columns, this.columns, format));
        }
        int narrowRows = atMostPanels >= panels() ? rows : atMostPanels * PanelLayout.ROWS;
        return new PanelMatrix(format, narrowRows, columns, data.asSlice(0, panelBytes(format, narrowRows, columns)));
    }

    /** How elements are stored. */
    public TensorFormat format() {
        return format;
    }

    /** Output features; for an embedding, the vocabulary. */
    public int rows() {
        return rows;
    }

    /** Input features; for an embedding, the hidden size. */
    public int columns() {
        return columns;
    }

    /** Number of panels. */
    public int panels() {
        return PanelLayout.panels(rows);
    }

    /** Bytes held, padding included. */
    public long bytes() {
        return data.byteSize();
    }

    /** All panels as they lie in memory, read-only. */
    public MemorySegment panelData() {
        return data;
    }

    /**
     * Makes sure that some panels can be read without further checks, by their address: that there are such panels, and that
     * their memory is still there. That it stays there is up to the caller, as for every address that is passed to native code.
     *
     * @param fromPanel first panel, inclusive
     * @param toPanel last panel, exclusive
     * @throws IndexOutOfBoundsException if there are no such panels
     * @throws IllegalStateException if the memory is not native, or was given back
     */
    public void requireReadable(int fromPanel, int toPanel) {
        Objects.checkFromToIndex(fromPanel, toPanel, panels());
        if (!data.isNative() || !data.scope().isAlive()) {
            throw new IllegalStateException("weights are not in native memory, or no longer: rows=%d, columns=%d, native=%b"
                    .formatted(rows, columns, data.isNative()));
        }
    }

    /** Where a panel begins, in bytes. */
    public long panelOffset(int panel) {
        return panel * panelBytes;
    }

    /** Rows of {@code panel} that are no padding. */
    public int rowsOf(int panel) {
        return Math.min(PanelLayout.ROWS, rows - panel * PanelLayout.ROWS);
    }

    /**
     * Gathers one row as float32; exact in every format.
     *
     * @param out receives {@code (columns)} from {@code outOffset}
     * @throws IndexOutOfBoundsException if there is no such row
     */
    public void copyRow(int row, float[] out, int outOffset) {
        if (row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException("row=%d, rows=%d".formatted(row, rows));
        }
        long panel = panelOffset(row / PanelLayout.ROWS);
        format.format().read(data, panel, row % PanelLayout.ROWS, 0, columns, out, outOffset);
    }
}
