package dev.tidestream.model.tensor.panel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.tensor.KPanels;
import dev.tidestream.model.tensor.KQuants;
import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;
import dev.tidestream.model.tensor.memory.PageArena;

import static dev.tidestream.model.tensor.PanelLayout.FLOAT;
import static dev.tidestream.model.tensor.PanelLayout.Q4_BLOCK_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q8_BLOCK_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.SHORT;

/**
 * Makes an edited copy of a panel matrix. Copy a panel first, then read and write its row blocks (up to 32 columns of one row,
 * 256 of a K-quant; see {@link PanelLayout} for where they lie). What is not written keeps its bits. The base is only read.
 *
 * <p>Threads: different panels may be edited by different threads at the same time; one panel by one.
 */
public final class PanelEditor {
    /** Rows of a panel. */
    public static final int PANEL_ROWS = ROWS;

    /** Most columns of a row block. */
    public static final int MAX_BLOCK = PanelLayout.SUPER_BLOCK;

    private static final int BLOCK = PanelLayout.BLOCK;

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
        this.blockColumns = format.superBlocks() ? PanelLayout.SUPER_BLOCK : BLOCK;
        this.panelBytes = PanelLayout.panelBytes(format, base.columns());
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

    /** What {@link #write} encodes in; of one thread. */
    public static final class Buffers {
        private final byte[] quants = new byte[BLOCK];
        private final KQuants superBlock = new KQuants();
        private final KQuantiser quantiser = new KQuantiser();
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
        long at = panel * panelBytes;
        switch (format) {
            case F32 -> readFloats(at + floatAt(block, lane), width(block), out);
            case F16 -> readHalves(at + shortAt(block, lane), width(block), out);
            case BF16 -> readBrains(at + shortAt(block, lane), width(block), out);
            case Q8_0 -> readQ8(at + (long) block * Q8_BLOCK_BYTES, PanelLayout.position(lane), out);
            case Q4_0 -> readQ4(at + (long) block * Q4_BLOCK_BYTES, PanelLayout.position(lane), out);
            case Q4_K, Q5_K, Q6_K -> readSuperBlock(at + (long) block * PanelLayout.blockBytes(format), lane, out);
        }
    }

    /**
     * Encodes a row block into the copy. A value that is too large for the format is stored as an infinite element or scale.
     *
     * @param lane row within the panel
     * @param in {@code width(block)} finite values from 0
     * @return how many units (elements; for a quantised format, the one row block) have other bits than before
     */
    public int write(int panel, int lane, int block, float[] in, Buffers buffers) {
        long at = panel * panelBytes;
        byte[] scratch = buffers.quants;
        return switch (format) {
            case F32 -> writeFloats(at + floatAt(block, lane), width(block), in);
            case F16 -> writeHalves(at + shortAt(block, lane), width(block), in);
            case BF16 -> writeBrains(at + shortAt(block, lane), width(block), in);
            case Q8_0 -> writeQuants(at + (long) block * Q8_BLOCK_BYTES, PanelLayout.position(lane),
                    Quantiser.q8(in, 0, scratch), scratch, BLOCK);
            case Q4_0 -> writeQuants(at + (long) block * Q4_BLOCK_BYTES, PanelLayout.position(lane),
                    Quantiser.q4(in, 0, scratch), scratch, BLOCK / 2);
            case Q4_K, Q5_K, Q6_K -> {
                buffers.quantiser.encode(format, in, buffers.superBlock);
                yield KPanels.put(format, target, at + (long) block * PanelLayout.blockBytes(format), lane, buffers.superBlock) ? 1 : 0;
            }
        };
    }

    /** The edited matrix, once every panel was copied; no editing after that. */
    public PanelMatrix matrix() {
        return PanelMatrix.ofPanels(format, base.rows(), base.columns(), target);
    }

    private static long floatAt(int block, int lane) {
        return ((long) block * BLOCK * ROWS + lane) * Float.BYTES;
    }

    private static long shortAt(int block, int lane) {
        return ((long) block * BLOCK * ROWS + PanelLayout.position(lane)) * Short.BYTES;
    }

    private void readFloats(long at, int width, float[] out) {
        for (int j = 0; j < width; j++) {
            out[j] = target.get(FLOAT, at + (long) j * ROWS * Float.BYTES);
        }
    }

    private void readHalves(long at, int width, float[] out) {
        for (int j = 0; j < width; j++) {
            out[j] = Float.float16ToFloat(target.get(SHORT, at + (long) j * ROWS * Short.BYTES));
        }
    }

    private void readBrains(long at, int width, float[] out) {
        for (int j = 0; j < width; j++) {
            out[j] = Float.intBitsToFloat(target.get(SHORT, at + (long) j * ROWS * Short.BYTES) << 16);
        }
    }

    private void readQ8(long at, int position, float[] out) {
        float scale = Float.float16ToFloat(target.get(SHORT, at + position * (long) Short.BYTES));
        long quants = at + SCALE_BYTES + position;
        for (int j = 0; j < BLOCK; j++) {
            out[j] = scale * target.get(ValueLayout.JAVA_BYTE, quants + (long) j * ROWS);
        }
    }

    private void readQ4(long at, int position, float[] out) {
        float scale = Float.float16ToFloat(target.get(SHORT, at + position * (long) Short.BYTES));
        long pairs = at + SCALE_BYTES + position;
        for (int j = 0; j < BLOCK / 2; j++) {
            int pair = target.get(ValueLayout.JAVA_BYTE, pairs + (long) j * ROWS);
            out[j] = scale * ((pair & 15) - 8);
            out[j + BLOCK / 2] = scale * ((pair >>> 4 & 15) - 8);
        }
    }

    private void readSuperBlock(long at, int lane, float[] out) {
        float[] columns = new float[BLOCK];
        for (int k = 0; k < blockColumns; k += BLOCK) {
            KPanels.elements(format, target, at, lane, k, columns);
            System.arraycopy(columns, 0, out, k, BLOCK);
        }
    }

    private int writeFloats(long at, int width, float[] in) {
        int changed = 0;
        for (int j = 0; j < width; j++) {
            long to = at + (long) j * ROWS * Float.BYTES;
            changed += Float.floatToRawIntBits(target.get(FLOAT, to)) == Float.floatToRawIntBits(in[j]) ? 0 : 1;
            target.set(FLOAT, to, in[j]);
        }
        return changed;
    }

    private int writeHalves(long at, int width, float[] in) {
        int changed = 0;
        for (int j = 0; j < width; j++) {
            changed += exchange(at + (long) j * ROWS * Short.BYTES, Float.floatToFloat16(in[j])) == 0 ? 0 : 1;
        }
        return changed;
    }

    private int writeBrains(long at, int width, float[] in) {
        int changed = 0;
        for (int j = 0; j < width; j++) {
            changed += exchange(at + (long) j * ROWS * Short.BYTES, Quantiser.toBFloat16(in[j])) == 0 ? 0 : 1;
        }
        return changed;
    }

    private int writeQuants(long at, int position, short scale, byte[] quants, int bytes) {
        int difference = exchange(at + position * (long) Short.BYTES, scale);
        for (int j = 0; j < bytes; j++) {
            long to = at + SCALE_BYTES + position + (long) j * ROWS;
            difference |= target.get(ValueLayout.JAVA_BYTE, to) ^ quants[j];
            target.set(ValueLayout.JAVA_BYTE, to, quants[j]);
        }
        return difference == 0 ? 0 : 1;
    }

    /** Stores {@code value}; which bits that changed. */
    private int exchange(long at, short value) {
        int difference = target.get(SHORT, at) ^ value;
        target.set(SHORT, at, value);
        return difference;
    }
}
