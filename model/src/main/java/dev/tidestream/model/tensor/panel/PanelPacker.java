package dev.tidestream.model.tensor.panel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.Format;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

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
     * @param source row-major, as many bytes as the format says, little-endian
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
        check(name, format, rows, columns, source);
        int panels = PanelLayout.panels(rows);
        long panelBytes = format.panelBytes(columns);
        MemorySegment target = memory.allocate(panels * panelBytes, PanelMatrix.ALIGNMENT_BYTES);
        team.forEachRange(panels, 1, (from, to) -> {
            for (int panel = from; panel < to; panel++) {
                panel(name, format.format(), rows, columns, source, panel, target.asSlice(panel * panelBytes, panelBytes));
            }
        });
        return PanelMatrix.ofPanels(format, rows, columns, target);
    }

    /** Refuses a matrix that cannot be of this format. */
    static void check(String name, TensorFormat format, int rows, int columns, MemorySegment source) {
        if (rows < 1 || columns < 1 || columns % format.blockElements() != 0) {
            throw new IllegalArgumentException("cannot pack %s: rows=%d, columns=%d, format=%s, columns per block=%d"
                    .formatted(name, rows, columns, format, format.blockElements()));
        }
        long bytes = format.format().fileBytes(rows, columns);
        if (source.byteSize() != bytes) {
            throw new IllegalArgumentException("cannot pack %s: bytes=%d, expected=%d".formatted(name, source.byteSize(), bytes));
        }
    }

    /** Packs the rows of one panel; lanes past the matrix's end stay as they are. */
    static void panel(String name, Format how, int rows, int columns, MemorySegment source, int panel, MemorySegment out) {
        int first = panel * ROWS;
        int lanes = Math.min(ROWS, rows - first);
        if (lanes < ROWS || !how.packPanel(source, first, columns, out)) {
            for (int lane = 0; lane < lanes; lane++) {
                int column = how.packRow(source, first + lane, columns, out, lane);
                if (column != Format.FINITE) {
                    throw new NonFiniteWeightException(name, first + lane, column);
                }
            }
        }
    }
}
