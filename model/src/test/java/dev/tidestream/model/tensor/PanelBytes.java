package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

import dev.tidestream.model.format.base.ActivationScaling;
import dev.tidestream.model.format.base.PanelLayout;

/** The bits of a panel matrix, for tests. */
public final class PanelBytes {
    private PanelBytes() {}

    /** All that is held, padding included. */
    public static byte[] all(PanelMatrix matrix) {
        return matrix.panelData().toArray(ValueLayout.JAVA_BYTE);
    }

    /** Whether a row has the same bits in both, scales included. */
    public static boolean sameRow(PanelMatrix a, PanelMatrix b, int row) {
        if (!a.format().superBlocks()) {
            int bytes = Math.toIntExact(a.format().rowBytes(a.columns()));
            return Arrays.equals(rowMajor(a), row * bytes, (row + 1) * bytes, rowMajor(b), row * bytes, (row + 1) * bytes);
        }
        if (a.format().activations() == ActivationScaling.ROW) { // each word of a line belongs to a row; scales are in the elements
            float[] ofA = new float[a.columns()];
            float[] ofB = new float[b.columns()];
            a.copyRow(row, ofA, 0);
            b.copyRow(row, ofB, 0);
            return Arrays.equals(ofA, ofB);
        }
        boolean same = true; // every 16-bit word of a super-block belongs to one row
        int position = PanelLayout.position(row % PanelLayout.ROWS);
        long from = a.panelOffset(row / PanelLayout.ROWS);
        for (long at = from + position * 2L; at < from + a.panelOffset(1); at += PanelLayout.LINE_BYTES) {
            same &= a.panelData().get(PanelLayout.SHORT, at) == b.panelData().get(PanelLayout.SHORT, at);
        }
        return same;
    }

    /** As a GGUF file holds it: {@code PanelPacker} backwards. */
    public static byte[] rowMajor(PanelMatrix matrix) {
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(matrix.rows() * matrix.format().rowBytes(matrix.columns())))
                .order(ByteOrder.LITTLE_ENDIAN);
        MemorySegment data = matrix.panelData();
        for (int row = 0; row < matrix.rows(); row++) {
            int lane = row % PanelLayout.ROWS;
            int position = PanelLayout.position(lane);
            long panel = matrix.panelOffset(row / PanelLayout.ROWS);
            for (int unit = 0; unit < matrix.columns() / matrix.format().blockElements(); unit++) {
                switch (matrix.format()) {
                    case F32 -> out.putFloat(data.get(PanelLayout.FLOAT, panel + (unit * 32L + lane) * 4));
                    case F16, BF16 -> out.putShort(data.get(PanelLayout.SHORT, panel + (unit * 32L + position) * 2));
                    case Q8_0 -> block(data, panel + unit * 1088L, position, 1, 32, out);
                    case Q4_0, IQ4_NL -> block(data, panel + unit * 576L, position, 1, 16, out);
                    case Q4_1 -> block(data, panel + unit * 640L, position, 2, 16, out);
                    case Q5_0 -> block(data, panel + unit * 704L, position, 1, 20, out);
                    case Q5_1 -> block(data, panel + unit * 768L, position, 2, 20, out);
                    case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TQ1_0, TQ2_0, I2_S ->
                            throw new IllegalArgumentException("cannot be packed backwards: " + matrix.format());
                }
            }
        }
        return out.array();
    }

    private static void block(MemorySegment data, long at, int position, int scales, int bytes, ByteBuffer out) {
        for (int i = 0; i < scales; i++) {
            out.putShort(data.get(PanelLayout.SHORT, at + i * 64L + position * 2L));
        }
        for (int j = 0; j < bytes; j++) {
            out.put(data.get(ValueLayout.JAVA_BYTE, at + scales * 64L + j * 32L + position));
        }
    }
}
