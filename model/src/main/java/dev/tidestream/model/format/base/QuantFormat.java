package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** A format whose elements are integers with scales for blocks of them. */
public non-sealed interface QuantFormat extends Format {

    /** How activations are made int8 for matrices of this format. */
    default ActivationScaling activations() {
        return ActivationScaling.BLOCK;
    }

    /** The format whose panels it has, if they are not its own, as GGUF names it; empty if they are. */
    default String panelsOf() {
        return "";
    }

    /**
     * Takes 32 columns of one row out of a panel: what everything else is held against.
     *
     * @param unit where the unit begins
     * @param block which of the unit's blocks
     */
    void lane(MemorySegment data, long unit, int lane, int block, LaneBlock out);

    /** Takes 32 columns of all rows out of a panel: the same numbers as {@link #lane} for each of them. */
    default void tile(MemorySegment data, long unit, int block, PanelTile out) {
        LaneBlock one = new LaneBlock();
        for (int lane = 0; lane < ROWS; lane++) {
            lane(data, unit, lane, block, one);
            out.d[lane] = one.d;
            out.m[lane] = one.m;
            for (int half = 0; half < 2; half++) {
                out.scales[half * ROWS + lane] = one.scales[half];
                out.mins[half * ROWS + lane] = one.mins[half];
            }
            for (int j = 0; j < BLOCK; j++) {
                out.quants[j * ROWS + PanelLayout.position(lane)] = one.quants[j];
            }
        }
    }

    @Override
    default void read(MemorySegment data, long panel, int lane, int fromColumn, int toColumn, float[] out, int outOffset) {
        LaneBlock one = new LaneBlock();
        boolean minima = rounding().minima();
        for (int k = fromColumn; k < toColumn; k += BLOCK) {
            lane(data, panel + shape().unitOf(k), lane, k % shape().columns() / BLOCK, one);
            one.elements(minima, out, outOffset + k - fromColumn);
        }
    }

    @Override
    default void readColumns(MemorySegment data, long panel, int fromColumn, int toColumn, float[] out) {
        PanelTile tile = new PanelTile();
        boolean minima = rounding().minima();
        for (int k = fromColumn; k < toColumn; k += BLOCK) {
            tile(data, panel + shape().unitOf(k), k % shape().columns() / BLOCK, tile);
            for (int j = 0; j < BLOCK; j++) {
                int half = j / PanelLayout.HALF * ROWS;
                int at = (k - fromColumn + j) * ROWS;
                for (int lane = 0; lane < ROWS; lane++) {
                    float scaled = tile.d[lane] * tile.scales[half + lane] * tile.quants[j * ROWS + PanelLayout.position(lane)];
                    out[at + lane] = minima ? scaled + tile.m[lane] * tile.mins[half + lane] : scaled;
                }
            }
        }
    }
}
