package dev.tidestream.model.tensor.panel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.RowEncoder;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.memory.PageArena;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * Makes an edited copy of a panel matrix. Copy a panel first, then read and write its row blocks (up to 32 columns of one row, or a
 * whole unit of the format if that is more). What is not written keeps its bits. The base is only read.
 *
 * <p>Threads: different panels may be edited by different threads at the same time; one panel by one.
 */
public final class PanelEditor {
    /** Rows of a panel. */
    public static final int PANEL_ROWS = ROWS;

    /** Most columns of a row block. */
    public static final int MAX_BLOCK = PanelLayout.SUPER_BLOCK;

    private static final int CACHE_LINE = 64;

    private final PanelMatrix base;
    private final TensorFormat format;
    private final int blockColumns;
    private final MemorySegment target; // (panels, panelBytes)
    private final long panelBytes;

    /**
     * @param arena owns the copy; its memory is taken as it is touched or panels are copied
     * @throws OutOfMemoryError if the system has no such memory
     */
    public PanelEditor(PanelMatrix base, Arena arena) {
        this.base = base;
        this.format = base.format();
        this.blockColumns = format.rowBlock();
        this.panelBytes = format.panelBytes(base.columns());
        this.target = arena.allocate(base.panels() * panelBytes, CACHE_LINE);
    }

    /** Huge pages of the copy, as far as there are some. */
    public int pages() {
        return Math.toIntExact(Math.ceilDiv(target.byteSize(), PageArena.HUGE_PAGE_BYTES));
    }

    /**
     * Has the system make a page of the copy: that may take as long as the work on ten panels, and can be done apart from it. Before any
     * panel is copied, since it writes; any thread. Where there are no huge pages, it makes a small one.
     */
    public void touch(int page) {
        target.set(ValueLayout.JAVA_BYTE, page * PageArena.HUGE_PAGE_BYTES, (byte) 0);
    }

    /** What {@link #write} encodes with, for one thread. */
    public RowEncoder newEncoder() {
        return format.format().encoder();
    }

    /** Columns of a row block; the last of a row may be narrower if the format is not quantised. */
    public int blockColumns() {
        return blockColumns;
    }

    /** Rows of {@code panel} that are no padding. */
    public int rowsOf(int panel) {
        return base.rowsOf(panel);
    }

    /** Row blocks of a row. */
    public int blocks() {
        return Math.ceilDiv(base.columns(), blockColumns);
    }

    /** Columns of row block {@code block}. */
    public int width(int block) {
        return Math.min(blockColumns, base.columns() - block * blockColumns);
    }

    /** Copies a panel, padding included. */
    public void copy(int panel) {
        MemorySegment.copy(base.panelData(), panel * panelBytes, target, panel * panelBytes, panelBytes);
    }

    /**
     * Reads a row block of the copy; exact.
     *
     * @param lane row within the panel
     * @param out receives {@code width(block)} values from 0
     */
    public void read(int panel, int lane, int block, float[] out) {
        int from = block * blockColumns;
        format.format().read(target, panel * panelBytes, lane, from, from + width(block), out, 0);
    }

    /**
     * Encodes a row block into the copy. A value that is too large for the format is stored as an infinite element or scale.
     *
     * @param lane row within the panel
     * @param in {@code width(block)} finite values from 0
     * @param encoder of {@link #newEncoder}
     * @return how many units (elements; for a quantised format, the one row block) have other bits than before
     */
    public int write(int panel, int lane, int block, float[] in, RowEncoder encoder) {
        return encoder.write(target, panel * panelBytes, lane, block * blockColumns, width(block), in);
    }

    /** The edited matrix, once every panel was copied; no editing after that. */
    public PanelMatrix matrix() {
        return PanelMatrix.ofPanels(format, base.rows(), base.columns(), target);
    }
}
