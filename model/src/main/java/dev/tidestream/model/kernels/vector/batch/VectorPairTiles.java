package dev.tidestream.model.kernels.vector.batch;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;
import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;
import static dev.tidestream.model.format.q40.Q40.Q4_BLOCK_BYTES;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCKS;
import static dev.tidestream.model.format.q4k.Q4K.Q4K_BLOCK_BYTES;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.HALF_B;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static dev.tidestream.model.kernels.vector.batch.VectorPairs.PAIRS;
import static dev.tidestream.model.kernels.vector.batch.VectorPairs.TILE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

/** Tiles for {@link VectorPairs}: (16 pairs of columns, 32 rows) for each block, a pair in the two halves of an int. */
final class VectorPairTiles {
    private VectorPairTiles() {}

    /**
     * Makes a tile of pairs from a tile of columns.
     *
     * @param columns (32 columns, 32 rows as packed)
     * @param centre is taken off every element
     * @param tile receives (16 pairs of columns, 32 rows) from {@code to}
     */
    static void pair(short[] columns, int centre, int[] tile, int to) {
        for (int i = 0; i < PAIRS * PARTS; i++) {
            int from = i / PARTS * 2 * ROWS + i % PARTS * 2 * L;
            int at = to + i / PARTS * ROWS + i % PARTS * L;
            IntVector even = ShortVector.fromArray(S, columns, from).sub((short) centre).reinterpretAsInts();
            IntVector odd = ShortVector.fromArray(S, columns, from + ROWS).sub((short) centre).reinterpretAsInts();
            even.and(0xffff).or(odd.lanewise(LSHL, 16)).intoArray(tile, at);
            even.lanewise(LSHR, 16).or(odd.and(0xffff0000)).intoArray(tile, at + 16);
        }
    }

    /**
     * Makes tiles of pairs from some blocks of Q4_0, 8 taken off. One loop: eight steps are too few to pay for a loop's setup.
     *
     * @param first offset of the first block
     */
    static void q4(MemorySegment data, long first, int blocks, int[] tiles) {
        int steps = PAIRS / 2 * PARTS;
        for (int i = 0; i < blocks * steps; i++) {
            int block = i / steps;
            int step = i % steps;
            long at = first + (long) block * Q4_BLOCK_BYTES + SCALE_BYTES + step / PARTS * 2L * ROWS + step % PARTS * 2L * L;
            IntVector even = ((ShortVector) ByteVector.fromMemorySegment(HALF_B, data, at, LITTLE)
                    .convertShape(ZERO_EXTEND_B2S, S, 0)).reinterpretAsInts();
            IntVector odd = ((ShortVector) ByteVector.fromMemorySegment(HALF_B, data, at + ROWS, LITTLE)
                    .convertShape(ZERO_EXTEND_B2S, S, 0)).reinterpretAsInts();
            ShortVector low = even.and(0xffff).or(odd.lanewise(LSHL, 16)).reinterpretAsShorts();
            ShortVector high = even.lanewise(LSHR, 16).or(odd.and(0xffff0000)).reinterpretAsShorts();
            int to = block * TILE + step / PARTS * ROWS + step % PARTS * L;
            low.and((short) 15).sub((short) 8).reinterpretAsInts().intoArray(tiles, to);
            high.and((short) 15).sub((short) 8).reinterpretAsInts().intoArray(tiles, to + 16);
            low.lanewise(LSHR, 4).sub((short) 8).reinterpretAsInts().intoArray(tiles, to + TILE / 2);
            high.lanewise(LSHR, 4).sub((short) 8).reinterpretAsInts().intoArray(tiles, to + TILE / 2 + 16);
        }
    }

    /**
     * Makes tiles of pairs from all lines of a super-block of Q4_K.
     *
     * @param superBlock its offset
     */
    static void q4k(MemorySegment data, long superBlock, int[] tiles) {
        int steps = BLOCK / 4 * PARTS;
        for (int i = 0; i < SUPER_BLOCK / 4 * PARTS; i++) {
            long at = superBlock + Q4K_BLOCKS + i / steps * (long) Q4K_BLOCK_BYTES + LINE_BYTES + i % steps * 4L * L;
            IntVector q = IntVector.fromMemorySegment(I, data, at, LITTLE);
            int to = i / PARTS * 2 * ROWS + i % PARTS * L;
            q.and(15).or(q.lanewise(LSHL, 12).and(0xf0000)).intoArray(tiles, to);
            q.lanewise(LSHR, 16).and(15).or(q.lanewise(LSHR, 4).and(0xf0000)).intoArray(tiles, to + 16);
            q.lanewise(LSHR, 8).and(15).or(q.lanewise(LSHL, 4).and(0xf0000)).intoArray(tiles, to + ROWS);
            q.lanewise(LSHR, 24).and(15).or(q.lanewise(LSHR, 12).and(0xf0000)).intoArray(tiles, to + ROWS + 16);
        }
    }
}
