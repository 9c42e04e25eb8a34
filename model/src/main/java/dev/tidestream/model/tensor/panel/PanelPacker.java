package dev.tidestream.model.tensor.panel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.tensor.KPanels;
import dev.tidestream.model.tensor.KQuants;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;
import dev.tidestream.model.tensor.WorkerTeam;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.FLOAT;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
import static dev.tidestream.model.tensor.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.SHORT;
import static dev.tidestream.model.tensor.PanelLayout.SUPER_BLOCK;

/**
 * Repacks a row-major matrix, as it stands in a GGUF file, into panels: the same values, bit for bit, in another order. Values
 * that are not finite are refused, since the kernels' arithmetic is specified for finite weights only.
 */
public final class PanelPacker {
    private PanelPacker() {}

    /**
     * Packs a whole matrix, split over the team by panels.
     *
     * @param name of the tensor, for errors
     * @param source row-major, {@code rows * format.rowBytes(columns)} bytes, little-endian
     * @param memory gives the memory of the result, at a cache line
     * @throws NonFiniteWeightException if a float element or a scale is infinite or NaN
     */
    public static PanelMatrix pack(
            String name,
            TensorFormat format,
            int rows,
            int columns,
            MemorySegment source,
            SegmentAllocator memory,
            WorkerTeam team) {
        if (rows < 1 || columns < 1 || columns % format.blockElements() != 0) {
            throw new IllegalArgumentException("cannot pack %s: rows=%d, columns=%d, format=%s, columns per block=%d"
                    .formatted(name, rows, columns, format, format.blockElements()));
        }
        if (source.byteSize() != rows * format.rowBytes(columns)) {
            throw new IllegalArgumentException("cannot pack %s: bytes=%d, expected=%d"
                    .formatted(name, source.byteSize(), rows * format.rowBytes(columns)));
        }
        int panels = PanelLayout.panels(rows);
        long panelBytes = PanelLayout.panelBytes(format, columns);
        MemorySegment target = memory.allocate(panels * panelBytes, PanelMatrix.ALIGNMENT_BYTES);
        long rowBytes = format.rowBytes(columns);
        team.forEachRange(panels, 1, (from, to) -> {
            for (int panel = from; panel < to; panel++) {
                MemorySegment out = target.asSlice(panel * panelBytes, panelBytes);
                int lanes = Math.min(ROWS, rows - panel * ROWS);
                MemorySegment in = source.asSlice((long) panel * ROWS * rowBytes, lanes * rowBytes);
                if (lanes < ROWS || !PanelTransposer.pack(format, columns, in, out)) {
                    for (int lane = 0; lane < lanes; lane++) {
                        packRow(name, panel * ROWS + lane, format, columns, in.asSlice(lane * rowBytes, rowBytes), out, lane);
                    }
                }
            }
        });
        return PanelMatrix.ofPanels(format, rows, columns, target);
    }

    private static void packRow(
            String name, int row, TensorFormat format, int columns, MemorySegment in, MemorySegment out, int lane) {
        switch (format) {
            case F32 -> {
                for (int k = 0; k < columns; k++) {
                    float value = in.get(FLOAT, (long) k * Float.BYTES);
                    requireFinite(Float.isFinite(value), name, row, k);
                    out.set(FLOAT, ((long) k * ROWS + lane) * Float.BYTES, value);
                }
            }
            case F16 -> packShorts(name, row, columns, in, out, lane, 0x7c00);
            case BF16 -> packShorts(name, row, columns, in, out, lane, 0x7f80);
            case Q8_0 -> packBlocks(name, row, columns, in, out, lane, BLOCK);
            case Q4_0 -> packBlocks(name, row, columns, in, out, lane, BLOCK / 2);
            case Q4_K, Q5_K, Q6_K -> packSuperBlocks(name, row, format, columns, in, out, lane);
        }
    }

    private static void packShorts(
            String name, int row, int columns, MemorySegment in, MemorySegment out, int lane, int exponentMask) {
        int position = PanelLayout.position(lane);
        for (int k = 0; k < columns; k++) {
            short bits = in.get(SHORT, (long) k * Short.BYTES);
            requireFinite((bits & exponentMask) != exponentMask, name, row, k);
            out.set(SHORT, ((long) k * ROWS + position) * Short.BYTES, bits);
        }
    }

    /** Q8_0 and Q4_0 alike: a scale and {@code bytes} quants become one lane of the block; a byte stays a byte. */
    private static void packBlocks(
            String name, int row, int columns, MemorySegment in, MemorySegment out, int lane, int bytes) {
        int position = PanelLayout.position(lane);
        for (int block = 0; block < columns / BLOCK; block++) {
            long from = (long) block * (Short.BYTES + bytes);
            long to = (long) block * (SCALE_BYTES + bytes * ROWS);
            short scale = in.get(SHORT, from);
            requireFinite((scale & 0x7c00) != 0x7c00, name, row, block * BLOCK);
            out.set(SHORT, to + position * (long) Short.BYTES, scale);
            for (int j = 0; j < bytes; j++) {
                byte quants = in.get(ValueLayout.JAVA_BYTE, from + Short.BYTES + j);
                out.set(ValueLayout.JAVA_BYTE, to + SCALE_BYTES + (long) j * ROWS + position, quants);
            }
        }
    }

    private static void packSuperBlocks(
            String name, int row, TensorFormat format, int columns, MemorySegment in, MemorySegment out, int lane) {
        KQuants block = new KQuants();
        int blockBytes = PanelLayout.blockBytes(format);
        for (int i = 0; i < columns / SUPER_BLOCK; i++) {
            block.decode(format, in, (long) i * format.blockBytes());
            requireFinite(block.finite(), name, row, i * SUPER_BLOCK);
            KPanels.put(format, out, (long) i * blockBytes, lane, block);
        }
    }

    private static void requireFinite(boolean finite, String name, int row, int column) {
        if (!finite) {
            throw new NonFiniteWeightException(name, row, column);
        }
    }
}
