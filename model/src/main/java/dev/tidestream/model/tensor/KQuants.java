package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import static dev.tidestream.model.tensor.PanelLayout.SUPER_BLOCK;

/**
 * One super-block of a K-quant (ggml, {@code k_quants}) taken apart: 256 columns of one row, as {@code PanelPacker} needs them.
 * Filled again and again; one thread.
 *
 * <pre>
 * Q4_K: 144 bytes | d: F16 | dmin: F16 | scales: 12 bytes | q: 128 bytes, low nibble block 2i, high nibble block 2i+1 |
 * Q5_K: 176 bytes | d: F16 | dmin: F16 | scales: 12 bytes | qh: 32 bytes, bit i of byte l: block i | q: 128 bytes, as Q4_K |
 *       scales: 8 scales s and 8 minima m of 6 bits; bytes 0–3 s0–s3, bytes 4–7 m0–m3, both with two bits of s4–s7, m4–m7 on top;
 *       bytes 8–11 the low nibbles of s4–s7 and, higher, of m4–m7
 * Q6_K: 210 bytes | ql: 128 bytes, low 4 bits | qh: 64 bytes, high 2 bits | scales: 16 int8 | d: F16 |
 * </pre>
 */
public final class KQuants {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle EIGHT_BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int EIGHT = Long.BYTES;
    private static final long ONES = 0x0101_0101_0101_0101L; // 1 in each of eight bytes
    private static final long SIGNS = 0x8080_8080_8080_8080L;
    private static final int Q4_SCALES = 4;
    private static final int Q4_QUANTS = 16;
    private static final int Q5_HIGH = 16;
    private static final int Q5_QUANTS = 48;
    private static final int Q6_HIGH = 128;
    private static final int Q6_SCALES = 192;
    private static final int Q6_D = 208;

    /** F16 bits. */
    public short d;
    /** F16 bits; 0 for Q6_K. */
    public short dmin;
    /** Q4_K and Q5_K: scale and minimum of each block of 32, unsigned; Q6_K: the scales of each 16 columns. */
    public final byte[] scales = new byte[16]; // (8, 2)
    /** Integers; those of Q6_K with 32 taken off. */
    public final byte[] quants = new byte[SUPER_BLOCK];

    /** Takes the block at byte {@code at} apart. */
    public void decode(TensorFormat format, MemorySegment in, long at) {
        switch (format) {
            case Q4_K -> {
                front(in, at);
                nibbles(in, at + Q4_QUANTS);
            }
            case Q5_K -> {
                front(in, at);
                nibbles(in, at + Q5_QUANTS);
                for (int k = 0; k < SUPER_BLOCK; k += EIGHT) {
                    long high = (in.get(LONG, at + Q5_HIGH + k % 32) >>> (k / 32)) & ONES;
                    EIGHT_BYTES.set(quants, k, (long) EIGHT_BYTES.get(quants, k) | high << 4);
                }
            }
            case Q6_K -> sixBits(in, at);
            case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + format);
        }
    }

    /** Whether every element is finite. */
    public boolean finite() {
        return (d & 0x7c00) != 0x7c00 && (dmin & 0x7c00) != 0x7c00;
    }

    private void front(MemorySegment in, long at) {
        d = in.get(PanelLayout.SHORT, at);
        dmin = in.get(PanelLayout.SHORT, at + Short.BYTES);
        long packed = at + Q4_SCALES;
        for (int i = 0; i < 4; i++) {
            int first = unsigned(in, packed + i);
            int second = unsigned(in, packed + 4 + i);
            int third = unsigned(in, packed + 8 + i);
            scales[2 * i] = (byte) (first & 63);
            scales[2 * i + 1] = (byte) (second & 63);
            scales[8 + 2 * i] = (byte) ((third & 15) | (first >> 6 << 4));
            scales[8 + 2 * i + 1] = (byte) ((third >> 4) | (second >> 6 << 4));
        }
    }

    private void nibbles(MemorySegment in, long at) {
        for (int k = 0; k < SUPER_BLOCK; k += EIGHT) {
            long pairs = in.get(LONG, at + k / 64 * 32L + k % 32);
            EIGHT_BYTES.set(quants, k, (pairs >>> (k % 64 / 32 * 4)) & 15 * ONES);
        }
    }

    private void sixBits(MemorySegment in, long at) {
        d = in.get(PanelLayout.SHORT, at + Q6_D);
        dmin = 0;
        MemorySegment.copy(in, ValueLayout.JAVA_BYTE, at + Q6_SCALES, scales, 0, scales.length);
        for (int k = 0; k < SUPER_BLOCK; k += EIGHT) {
            int half = k / 128; // 128 columns: 64 bytes of ql, 32 of qh
            int quarter = k % 128 / 32;
            long low = (in.get(LONG, at + half * 64L + quarter % 2 * 32L + k % 32) >>> (quarter / 2 * 4)) & 15 * ONES;
            long high = (in.get(LONG, at + Q6_HIGH + half * 32L + k % 32) >>> (quarter * 2)) & 3 * ONES;
            EIGHT_BYTES.set(quants, k, ((low | (high << 4) | SIGNS) - 32 * ONES) ^ SIGNS); // no borrow leaves its byte
        }
    }

    private static int unsigned(MemorySegment in, long at) {
        return in.get(ValueLayout.JAVA_BYTE, at) & 255;
    }
}
