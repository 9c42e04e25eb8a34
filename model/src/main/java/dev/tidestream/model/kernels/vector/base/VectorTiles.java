package dev.tidestream.model.kernels.vector.base;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.format.base.PanelLayout;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.HALF_B;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.B2S;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

/**
 * Unpacks 32 columns of a panel into a float tile on the heap, (32 columns, 32 rows) in row order. No helpers that take or give vectors,
 * as in {@code VectorKTiles}.
 */
public final class VectorTiles {
    private VectorTiles() {}

    /** Columns of a panel that become a tile. */
    public interface FloatTile {
        /** {@code columns} of them from column {@code k} of the panel at byte {@code panel}. */
        void columns(MemorySegment data, long panel, int k, int columns, float[] tile);
    }

    /** Of F32. */
    public static void f32(MemorySegment data, long panel, int k, int columns, float[] tile) {
        MemorySegment.copy(data, PanelLayout.FLOAT, panel + (long) k * ROWS * Float.BYTES, tile, 0, columns * ROWS);
    }

    /** Of F16. */
    public static void f16(MemorySegment data, long panel, int k, int columns, float[] tile) {
        for (int i = 0; i < columns * PARTS; i++) {
            int to = i / PARTS * ROWS + i % PARTS * L;
            IntVector pair = IntVector.fromMemorySegment(I, data, panel + (long) k * ROWS * Short.BYTES + i * 4L * L, LITTLE);
            pair.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(tile, to);
            pair.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(tile, to + 16);
        }
    }

    /** Of BF16. */
    public static void bf16(MemorySegment data, long panel, int k, int columns, float[] tile) {
        for (int i = 0; i < columns * PARTS; i++) {
            int to = i / PARTS * ROWS + i % PARTS * L;
            IntVector pair = IntVector.fromMemorySegment(I, data, panel + (long) k * ROWS * Short.BYTES + i * 4L * L, LITTLE);
            pair.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(tile, to);
            pair.and(0xffff0000).reinterpretAsFloats().intoArray(tile, to + 16);
        }
    }

    /** The integers of a block of Q8_0, from {@code tileFrom}. */
    public static void q8(MemorySegment data, long quants, float[] tile, int tileFrom) {
        for (int i = 0; i < BLOCK * PARTS; i++) {
            int to = tileFrom + i / PARTS * ROWS + i % PARTS * L;
            IntVector pair = ((ShortVector) ByteVector.fromMemorySegment(HALF_B, data, quants + i * 2L * L, LITTLE)
                    .convertShape(B2S, S, 0)).reinterpretAsInts();
            ((FloatVector) pair.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0)).intoArray(tile, to);
            ((FloatVector) pair.lanewise(ASHR, 16).convert(I2F, 0)).intoArray(tile, to + 16);
        }
    }

    /** A line of F16 scales, in row order, from {@code to}. */
    public static void scales(MemorySegment data, long line, float[] d, int to) {
        for (int part = 0; part < PARTS; part++) {
            IntVector pair = IntVector.fromMemorySegment(I, data, line + part * 4L * L, LITTLE);
            pair.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(d, to + part * L);
            pair.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(d, to + part * L + 16);
        }
    }
}
