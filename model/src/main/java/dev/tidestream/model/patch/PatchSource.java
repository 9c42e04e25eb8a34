package dev.tidestream.model.patch;

import java.util.Arrays;

import dev.tidestream.model.patch.PatchException.Reason;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.panel.PanelEditor;

/** What a patch says about one panel. Any thread; one scratch each. */
sealed interface PatchSource {
    /** Elements that an array certainly holds. */
    int MAX_ARRAY = Integer.MAX_VALUE - 8;

    /** Whether values are added to the tensor, rather than put in place of it. */
    boolean additive();

    /**
     * Whether a block whose wanted values are the held ones keeps its bits. A replacement of the whole tensor does not look at
     * what was there: its bits are a function of the payload alone, so that a history of updates may begin with it.
     */
    default boolean keepsEqualBlocks() {
        return true;
    }

    /** Whether values that are NaN stand for what the tensor holds. */
    default boolean hasGaps() {
        return false;
    }

    /** Columns of A; 0 if there is none. */
    default int rank() {
        return 0;
    }

    /**
     * Fills the scratch's lanes and values.
     *
     * @param lanes rows of the panel that are no padding
     * @return how many rows of the panel are touched; 0 leaves it as it is
     * @throws PatchException if a value is not finite
     */
    int fill(int panel, int lanes, PatchScratch scratch);

    /**
     * Reads what is needed at once.
     *
     * @throws PatchException if row numbers are invalid or a value of B is not finite
     */
    static PatchSource of(String name, PanelMatrix base, WeightPatch patch, PatchPayload payload, LowRankProduct product) {
        return switch (patch.kind()) {
            case REPLACE -> new Whole(payload, base.columns(), false);
            case DELTA -> new Whole(payload, base.columns(), true);
            case ROWS -> new Rows(payload, base.columns(), sortedRows(name, base.rows(), patch, payload));
            case LOW_RANK -> {
                float[] b = new float[patch.rank() * base.columns()];
                payload.read(0, (long) base.rows() * patch.rank(), b.length, b, 0);
                yield new LowRank(payload, base.columns(), patch.rank(), b, product);
            }
            case SPARSE -> {
                long count = patch.shape().getFirst();
                payload.requirePlaces(count, (long) base.rows() * base.columns());
                yield new Sparse(payload, base.columns(), count);
            }
        };
    }

    /** Row number in the upper half, place in the payload in the lower, in order of rows. */
    private static long[] sortedRows(String name, int rows, WeightPatch patch, PatchPayload payload) {
        long[] sorted = new long[Math.toIntExact(patch.shape().getFirst())];
        for (int i = 0; i < sorted.length; i++) {
            int row = payload.rowNumber(i);
            if (row < 0 || row >= rows) {
                throw new PatchException(Reason.INVALID_ROWS, "no such row: tensor=%s, rows[%d]=%d, the tensor's rows=%d"
                        .formatted(name, i, row, rows));
            }
            sorted[i] = (long) row << 32 | i;
        }
        Arrays.sort(sorted);
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i - 1] >> 32 == sorted[i] >> 32) {
                throw new PatchException(Reason.INVALID_ROWS, "row is listed twice: tensor=%s, rows[%d]=rows[%d]=%d"
                        .formatted(name, (int) sorted[i - 1], (int) sorted[i], sorted[i] >> 32));
            }
        }
        return sorted;
    }

    /** REPLACE and DELTA. */
    record Whole(PatchPayload payload, int columns, boolean additive) implements PatchSource {
        @Override
        public boolean keepsEqualBlocks() {
            return additive;
        }

        @Override
        public int fill(int panel, int lanes, PatchScratch scratch) {
            payload.read(0, (long) panel * PanelEditor.PANEL_ROWS * columns, lanes * columns, scratch.values, 0);
            scratch.everyLane();
            return lanes;
        }
    }

    /**
     * ROWS.
     *
     * @param sorted row number in the upper half, place in the payload in the lower
     */
    record Rows(PatchPayload payload, int columns, long[] sorted) implements PatchSource {
        @Override
        public boolean additive() {
            return false;
        }

        @Override
        public int fill(int panel, int lanes, PatchScratch scratch) {
            long first = (long) panel * PanelEditor.PANEL_ROWS;
            int at = Arrays.binarySearch(sorted, first << 32);
            long valuesStart = (long) sorted.length * Integer.BYTES;
            int count = 0;
            for (int i = at < 0 ? -at - 1 : at; i < sorted.length && sorted[i] >> 32 < first + lanes; i++) {
                scratch.lanes[count] = (int) ((sorted[i] >> 32) - first);
                payload.read(valuesStart, (sorted[i] & 0xffffffffL) * columns, columns, scratch.values, count * columns);
                count++;
            }
            return count;
        }
    }

    /**
     * SPARSE; elements that are not listed are NaN.
     *
     * @param count of elements
     */
    record Sparse(PatchPayload payload, int columns, long count) implements PatchSource {
        @Override
        public boolean additive() {
            return false;
        }

        @Override
        public boolean hasGaps() {
            return true;
        }

        @Override
        public int fill(int panel, int lanes, PatchScratch scratch) {
            long firstRow = (long) panel * PanelEditor.PANEL_ROWS;
            long from = payload.placesBefore(count, firstRow * columns);
            int touched = 0;
            for (long i = from; i < count && payload.place(i) < (firstRow + lanes) * columns; i++) {
                int lane = (int) (payload.place(i) / columns - firstRow);
                if (touched == 0 || scratch.lanes[touched - 1] != lane) {
                    scratch.lanes[touched++] = lane;
                    Arrays.fill(scratch.values, (touched - 1) * columns, touched * columns, Float.NaN);
                }
                payload.read(count * Long.BYTES, i, 1, scratch.values, (touched - 1) * columns + (int) (payload.place(i) % columns));
            }
            return touched;
        }
    }

    /**
     * LOW_RANK, one panel of the product at a time.
     *
     * @param b {@code (rank, columns)}
     */
    record LowRank(PatchPayload payload, int columns, int rank, float[] b, LowRankProduct product) implements PatchSource {
        @Override
        public boolean additive() {
            return true;
        }

        @Override
        public int fill(int panel, int lanes, PatchScratch scratch) {
            boolean full = lanes == PanelEditor.PANEL_ROWS;
            float[] a = full ? scratch.factors : new float[lanes * rank];
            float[] out = full ? scratch.values : new float[lanes * columns];
            payload.read(0, (long) panel * PanelEditor.PANEL_ROWS * rank, lanes * rank, a, 0);
            product.multiply(a, lanes, rank, b, columns, out);
            if (!full) {
                System.arraycopy(out, 0, scratch.values, 0, out.length);
            }
            scratch.everyLane();
            return lanes;
        }
    }
}
