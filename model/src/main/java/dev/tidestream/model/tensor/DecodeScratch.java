package dev.tidestream.model.tensor;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.VectorShapes.I;
import static dev.tidestream.model.tensor.VectorShapes.L;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

/** What a thread needs to multiply one row beyond its codes; made anew for each range of panels, in less than a microsecond. */
final class DecodeScratch {
    private static final int FOUR = 4;

    private int[] differences = {};
    @SuppressWarnings("UnusedVariable") // being written is all it is for
    private int touched;

    /** Before panels of a matrix of this format are multiplied with the only row of x. */
    void prepare(TensorFormat format, Activations x) {
        if (!x.quantised()) {
            return;
        }
        switch (format) {
            case Q4_0 -> pairs(x.codePairs(), room(x.columns()), x.columns());
            case Q4_K -> fours(x.codePairs(), room(x.columns()), x.columns());
            case F32, F16, BF16, Q8_0, Q5_K, Q6_K -> { }
        }
    }

    /**
     * Codes from which 16 times the code of the nibble below has been taken off, in both 16-bit halves.
     *
     * <pre>
     * Q4_0: place 32 b + j, j below 16: x[32 b + j + 16] - 16 x[32 b + j]; the other places are not used
     * Q4_K: place k: x[k] - 16 x[k - 1], but x[k] if k is a multiple of 4
     * </pre>
     */
    int[] differences() {
        return differences;
    }

    /** Takes what was read ahead of its use, so that the compiler does not leave the reading out. */
    void touched(int value) {
        touched += value;
    }

    private int[] room(int columns) {
        if (differences.length < columns) {
            differences = new int[columns];
        }
        return differences;
    }

    private static void pairs(int[] x, int[] out, int columns) {
        for (int block = 0; block < columns; block += BLOCK) {
            for (int j = block; j < block + 16; j += L) {
                ShortVector low = IntVector.fromArray(I, x, j).reinterpretAsShorts();
                ShortVector high = IntVector.fromArray(I, x, j + 16).reinterpretAsShorts();
                high.sub(low.lanewise(LSHL, FOUR)).reinterpretAsInts().intoArray(out, j);
            }
        }
    }

    private static void fours(int[] x, int[] out, int columns) {
        ShortVector notFirst = IntVector.zero(I).addIndex(1).and(3).neg().lanewise(ASHR, 31).reinterpretAsShorts();
        for (int k = 0; k < L; k++) {
            int difference = k % 4 == 0 ? x[k] : (short) x[k] - 16 * (short) x[k - 1];
            out[k] = (difference & 0xffff) | (difference << 16);
        }
        for (int k = L; k < columns; k += L) {
            ShortVector before = IntVector.fromArray(I, x, k - 1).reinterpretAsShorts().lanewise(LSHL, FOUR).and(notFirst);
            IntVector.fromArray(I, x, k).reinterpretAsShorts().sub(before).reinterpretAsInts().intoArray(out, k);
        }
    }
}
