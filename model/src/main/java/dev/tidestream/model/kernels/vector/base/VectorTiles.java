package dev.tidestream.model.kernels.vector.base;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import dev.tidestream.model.tensor.PanelLayout;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.TensorFormat;

import static dev.tidestream.model.kernels.vector.base.VectorShapes.HALF_B;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.I;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.L;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.LITTLE;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.PARTS;
import static dev.tidestream.model.kernels.vector.base.VectorShapes.S;
import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.Q4_BLOCK_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q8_BLOCK_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.ROWS;
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

    /** {@code columns} columns of F32, F16 or BF16 from column {@code k}. */
    public static void floats(PanelMatrix w, long panel, int k, int columns, float[] tile) {
        MemorySegment data = w.panelData();
        switch (w.format()) {
            case F32 -> MemorySegment.copy(
                    data, PanelLayout.FLOAT, panel + (long) k * ROWS * Float.BYTES, tile, 0, columns * ROWS);
            case F16 -> {
                for (int i = 0; i < columns * PARTS; i++) {
                    int to = i / PARTS * ROWS + i % PARTS * L;
                    IntVector pair = IntVector.fromMemorySegment(
                            I, data, panel + (long) k * ROWS * Short.BYTES + i * 4L * L, LITTLE);
                    pair.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                            .intoArray(tile, to);
                    pair.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                            .intoArray(tile, to + 16);
                }
            }
            case BF16 -> {
                for (int i = 0; i < columns * PARTS; i++) {
                    int to = i / PARTS * ROWS + i % PARTS * L;
                    IntVector pair = IntVector.fromMemorySegment(
                            I, data, panel + (long) k * ROWS * Short.BYTES + i * 4L * L, LITTLE);
                    pair.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(tile, to);
                    pair.and(0xffff0000).reinterpretAsFloats().intoArray(tile, to + 16);
                }
            }
            case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> throw new IllegalArgumentException("no float format: " + w.format());
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

    /** The scales of a quantised block, in row order, from {@code to}. */
    public static void scales(PanelMatrix w, long panel, int block, float[] d, int to) {
        int blockBytes = w.format() == TensorFormat.Q8_0 ? Q8_BLOCK_BYTES : Q4_BLOCK_BYTES;
        for (int part = 0; part < PARTS; part++) {
            IntVector pair = IntVector.fromMemorySegment(
                    I, w.panelData(), panel + (long) block * blockBytes + part * 4L * L, LITTLE);
            pair.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(d, to + part * L);
            pair.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats().mul(VectorHalf.TWO_112)
                    .intoArray(d, to + part * L + 16);
        }
    }
}
