package dev.tidestream.model.tensor.panel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.RowEncoder;
import dev.tidestream.model.tensor.NonFiniteWeightException;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WorkerTeam;

import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/**
 * Brings a row-major matrix, as it stands in a file, into panels of another format: each unit of a row is encoded by itself, from
 * the
 * exact values that the file has. The bits depend on these values alone, not on the number of threads. Of values that are not
 * finite:
 * as {@link PanelPacker}.
 */
public final class PanelQuantiser {
    private PanelQuantiser() {}

    /** Panels, and what was lost. */
    public record Quantised(PanelMatrix matrix, QuantisationError error) {}

    /**
     * Quantises a whole matrix, split over the team by panels.
     *
     * @param name of the tensor, for errors
     * @param from what the source is in
     * @param to what the result is in; rows are whole units of both
     * @param source row-major, as many bytes as the format says, little-endian
     * @param memory gives the memory of the result, zeroed, at a cache line
     * @throws NonFiniteWeightException if a value or a scale is infinite or NaN, or a value is too large for the format
     */
    public static Quantised pack(
            String name,
            TensorFormat from,
            TensorFormat to,
            int rows,
            int columns,
            MemorySegment source,
            SegmentAllocator memory,
            WorkerTeam team) {
        PanelPacker.check(name, from, rows, columns, source);
        if (columns % to.blockElements() != 0) {
            throw new IllegalArgumentException("cannot pack %s: columns=%d, format=%s, columns per block=%d"
                    .formatted(name, columns, to, to.blockElements()));
        }
        int panels = PanelLayout.panels(rows);
        MemorySegment target = memory.allocate(panels * to.panelBytes(columns), PanelMatrix.ALIGNMENT_BYTES);
        double[] maxima = new double[panels];
        double[] squares = new double[panels];
        team.forEachRange(panels, 1, (begin, end) -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment read = arena.allocate(from.panelBytes(columns), PanelMatrix.ALIGNMENT_BYTES);
                Rows work = new Rows(name, from, to, columns, read, target);
                for (int panel = begin; panel < end; panel++) {
                    PanelPacker.panel(name, from.format(), rows, columns, source, panel, read);
                    work.encode(panel, Math.min(ROWS, rows - panel * ROWS));
                    maxima[panel] = work.maxAbs;
                    squares[panel] = work.squares;
                }
            }
        });
        double max = 0;
        double sum = 0;
        for (int panel = 0; panel < panels; panel++) {
            max = Math.max(max, maxima[panel]);
            sum += squares[panel];
        }
        return new Quantised(PanelMatrix.ofPanels(to, rows, columns, target),
                new QuantisationError(max, Math.sqrt(sum / ((double) rows * columns))));
    }

    /** Encodes the rows of panels, one after the other; for one thread. */
    private static final class Rows {
        private final String name;
        private final TensorFormat from;
        private final TensorFormat to;
        private final int columns;
        private final MemorySegment read; // a panel in the first format
        private final MemorySegment target; // all panels in the second
        private final RowEncoder encoder;
        private final float[] row;
        private final float[] wanted;
        private final float[] stored;
        private double maxAbs;
        private double squares;

        Rows(String name, TensorFormat from, TensorFormat to, int columns, MemorySegment read, MemorySegment target) {
            this.name = name;
            this.from = from;
            this.to = to;
            this.columns = columns;
            this.read = read;
            this.target = target;
            this.encoder = to.format().encoder();
            this.row = new float[columns];
            this.wanted = new float[to.rowBlock()];
            this.stored = new float[to.rowBlock()];
        }

        /** Encodes a panel, and adds up what it lost. */
        void encode(int panel, int lanes) {
            maxAbs = 0;
            squares = 0;
            long at = panel * to.panelBytes(columns);
            for (int lane = 0; lane < lanes; lane++) {
                from.format().read(read, 0, lane, 0, columns, row, 0);
                for (int k = 0; k < columns; k += to.rowBlock()) {
                    int width = Math.min(to.rowBlock(), columns - k);
                    System.arraycopy(row, k, wanted, 0, width);
                    encoder.write(target, at, lane, k, width, wanted);
                    to.format().read(target, at, lane, k, k + width, stored, 0);
                    measure(panel * ROWS + lane, k, width);
                }
            }
        }

        private void measure(int r, int k, int width) {
            for (int j = 0; j < width; j++) {
                double error = (double) stored[j] - wanted[j];
                if (!Double.isFinite(error)) {
                    throw NonFiniteWeightException.tooLarge(name, to, r, k, width, largest(width));
                }
                maxAbs = Math.max(maxAbs, Math.abs(error));
                squares += error * error;
            }
        }

        private float largest(int width) {
            float largest = wanted[0];
            for (int j = 1; j < width; j++) {
                largest = Math.abs(wanted[j]) > Math.abs(largest) ? wanted[j] : largest;
            }
            return largest;
        }
    }
}
