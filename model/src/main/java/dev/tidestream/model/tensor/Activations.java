package dev.tidestream.model.tensor;

import java.util.Arrays;
import java.util.function.Function;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.PanelLayout;

/**
 * The right-hand side of a multiply: up to {@code maxRows} rows of float32 and, for quantised weights, the same rows as int8
 * quants with one scale per block of 32, or per row. Reused from pass to pass; the owner fills it, then any thread may read it.
 *
 * <p>Quants lie as the kernels want them: each implementation of {@link Kernels} that was asked to quantise or to multiply keeps
 * an {@link ActivationEncoding} here. All that are kept are made anew whenever the rows are quantised. One that is asked for
 * after that is made then, of the same values: kernels that leave a format to others need that.
 */
public final class Activations {
    private static final ActivationEncoding[] NONE = {};
    private static final float LEAST_OF_A_ROW = 1e-5f;
    private static final int ROW_GRAIN = 4;

    private final int maxRows;
    private final int columns;
    private final int blocks; // columns / 32, or 0
    private final float[] values; // (maxRows, columns)
    private final float[] leastMagnitudes; // (maxRows)
    private int rows;
    private boolean quantised;
    private volatile ActivationEncoding[] encodings = NONE; // one of a class; replaced under the lock

    /** @param columns input features; a multiple of 32 if {@link #quantise} is going to be called */
    public Activations(int maxRows, int columns) {
        this.maxRows = maxRows;
        this.columns = columns;
        this.blocks = columns % PanelLayout.BLOCK == 0 ? columns / PanelLayout.BLOCK : 0;
        this.values = new float[Math.multiplyExact(maxRows, columns)];
        this.leastMagnitudes = new float[maxRows];
    }

    /** Says how many rows are about to be filled; what was quantised before is void. */
    public void reset(int newRows) {
        if (newRows < 1 || newRows > maxRows) {
            throw new IllegalArgumentException("rows=%d, maxRows=%d".formatted(newRows, maxRows));
        }
        rows = newRows;
        quantised = false;
    }

    /** How many rows are filled. */
    public int rows() {
        return rows;
    }

    /** Most rows there is room for. */
    public int maxRows() {
        return maxRows;
    }

    /** Length of a row. */
    public int columns() {
        return columns;
    }

    /** The rows {@code (maxRows, columns)}, to be filled after {@link #reset}. */
    public float[] values() {
        return values;
    }

    /** Whether kernels for quantised weights are to use the int8 quants. */
    public boolean quantised() {
        return quantised;
    }

    /** Quantises all rows with a scale for each block, as {@link #quantise(Kernels, WorkerTeam, ActivationScaling)} does. */
    public void quantise(Kernels kernels, WorkerTeam team) {
        quantise(kernels, team, ActivationScaling.BLOCK);
    }

    /**
     * Quantises all rows for these kernels, split over the team. Values stay as they are until the last kernel has read what is
     * made of them.
     */
    public void quantise(Kernels kernels, WorkerTeam team, ActivationScaling scaling) {
        prepare(kernels);
        if (scaling == ActivationScaling.ROW) {
            team.forEachRange(rows, ROW_GRAIN, (from, to) -> {
                for (int row = from; row < to; row++) {
                    leastMagnitudes[row] = largestOfRow(row);
                }
            });
        }
        for (ActivationEncoding encoding : encodings) {
            encoding.encode(team);
        }
        quantised = true;
    }

    /** The largest magnitude of a row, at least 1e-5; NaN if a value is NaN. Magnitudes have the order of their bits. */
    private float largestOfRow(int row) {
        int largest = Float.floatToRawIntBits(LEAST_OF_A_ROW);
        for (int i = row * columns; i < (row + 1) * columns; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & Integer.MAX_VALUE);
        }
        return Float.intBitsToFloat(largest);
    }

    /**
     * What the largest magnitude of a block of this row is at least, for the sake of its scale: 0, or the largest of the row if rows
     * have one scale. For implementations of {@link ActivationEncoding}.
     */
    public float leastMagnitude(int row) {
        return leastMagnitudes[row];
    }

    /** Before {@link #quantiseBlocks}, by the owner. */
    void prepare(Kernels kernels) {
        if (blocks == 0) {
            throw new IllegalStateException("columns=%d is no multiple of %d".formatted(columns, PanelLayout.BLOCK));
        }
        quantised = false;
        Arrays.fill(leastMagnitudes, 0, rows, 0f);
        kernels.encoding(this);
    }

    /** Quantises some blocks of a single row. After all of them, on whatever threads, comes {@link #markQuantised}. */
    void quantiseBlocks(int from, int to) {
        for (ActivationEncoding encoding : encodings) {
            encoding.encodeBlocks(from, to);
        }
    }

    void markQuantised() {
        quantised = true;
    }

    /**
     * The encoding of a class, which is made if there is none; any thread. For implementations of {@link Kernels}.
     *
     * @param maker makes one for these activations
     */
    public <E extends ActivationEncoding> E encoding(Class<E> type, Function<? super Activations, ? extends E> maker) {
        for (ActivationEncoding encoding : encodings) {
            if (type.isInstance(encoding)) {
                return type.cast(encoding);
            }
        }
        return add(type, maker);
    }

    private synchronized <E extends ActivationEncoding> E add(Class<E> type, Function<? super Activations, ? extends E> maker) {
        ActivationEncoding[] known = encodings;
        for (ActivationEncoding encoding : known) {
            if (type.isInstance(encoding)) { // another thread was first
                return type.cast(encoding);
            }
        }
        E made = maker.apply(this);
        if (quantised) {
            made.encode(WorkerTeam.sequential());
        }
        ActivationEncoding[] more = Arrays.copyOf(known, known.length + 1);
        more[known.length] = made;
        encodings = more; // last: whoever sees it may read it
        return made;
    }
}
