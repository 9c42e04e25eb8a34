package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

import static dev.tidestream.model.tensor.PanelLayout.FLOAT;
import static dev.tidestream.model.tensor.PanelLayout.SHORT;

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
        this.panelBytes = PanelLayout.panelBytes(format, columns);
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
        return PanelLayout.panels(rows) * PanelLayout.panelBytes(format, columns);
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
     * The first blocks, read as panels of fewer columns, over the same memory: a small matrix whose values are as good as those
     * of this one, though other ones stand side by side: its second panel is what follows in this one's first.
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
        int lane = row % PanelLayout.ROWS;
        for (int k = 0; k < columns; k++) {
            out[outOffset + k] = element(panel, lane, k);
        }
    }

    /** Element of column {@code k} in the panel at byte {@code panel}; what the format says, word for word. */
    public float element(long panel, int lane, int k) {
        int position = PanelLayout.position(lane);
        return switch (format) {
            case F32 -> data.get(FLOAT, panel + ((long) k * PanelLayout.ROWS + lane) * Float.BYTES);
            case F16 -> Float.float16ToFloat(data.get(SHORT, panel + ((long) k * PanelLayout.ROWS + position) * Short.BYTES));
            case BF16 -> Float.intBitsToFloat(
                    data.get(SHORT, panel + ((long) k * PanelLayout.ROWS + position) * Short.BYTES) << 16);
            case Q8_0, Q4_0 -> scale(panel, lane, k / PanelLayout.BLOCK) * quant(panel, lane, k);
            case Q4_K, Q5_K, Q6_K -> KPanels.element(format, data, superBlock(panel, k), lane, k % PanelLayout.SUPER_BLOCK);
        };
    }

    /** Where the super-block of column {@code k} begins. */
    public long superBlock(long panel, int k) {
        return panel + (long) (k / PanelLayout.SUPER_BLOCK) * PanelLayout.blockBytes(format);
    }

    /** Scale of a block of Q8_0 or Q4_0. */
    public float scale(long panel, int lane, int block) {
        long at = panel + (long) block * quantBlockBytes() + PanelLayout.position(lane) * (long) Short.BYTES;
        return Float.float16ToFloat(data.get(SHORT, at));
    }

    /** The integer of an element of Q8_0 or Q4_0, its offset taken off. */
    public int quant(long panel, int lane, int k) {
        long quants = panel + (long) (k / PanelLayout.BLOCK) * quantBlockBytes() + PanelLayout.SCALE_BYTES
                + PanelLayout.position(lane);
        int j = k % PanelLayout.BLOCK;
        if (format == TensorFormat.Q8_0) {
            return data.get(ValueLayout.JAVA_BYTE, quants + (long) j * PanelLayout.ROWS);
        }
        int pair = data.get(ValueLayout.JAVA_BYTE, quants + (j % 16) * (long) PanelLayout.ROWS);
        return (j < 16 ? pair & 15 : pair >>> 4 & 15) - 8;
    }

    private int quantBlockBytes() {
        return format == TensorFormat.Q8_0 ? PanelLayout.Q8_BLOCK_BYTES : PanelLayout.Q4_BLOCK_BYTES;
    }
}
