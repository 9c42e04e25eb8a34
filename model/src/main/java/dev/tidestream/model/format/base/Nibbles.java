package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.HALF;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;

/** Lines of nibbles of a block: line j has column j in its low nibbles and column j + 16 in its high ones; and lines of fifth bits. */
public final class Nibbles {
    /** Bytes of a block of a row. */
    public static final int BYTES = BLOCK / 2;

    /** Bytes of fifth bits: bit b of byte i belongs to column 8 i + b. */
    public static final int BIT_BYTES = BLOCK / 8;

    /** Bytes of the lines of fifth bits of a panel. */
    public static final int BIT_LINES = BIT_BYTES * ROWS;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle EIGHT_BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101_0101_0101_0101L; // 1 in each of eight bytes
    private static final long SIGNS = 0x8080_8080_8080_8080L;
    private static final int FIFTH = 4; // its place

    private Nibbles() {}

    /** The nibbles of one row, {@code centre} taken off. */
    public static void row(MemorySegment data, long lines, int position, int centre, byte[] out) {
        for (int j = 0; j < HALF; j++) {
            int pair = data.get(ValueLayout.JAVA_BYTE, lines + (long) j * ROWS + position);
            out[j] = (byte) ((pair & 15) - centre);
            out[j + HALF] = (byte) ((pair >>> 4 & 15) - centre);
        }
    }

    /** Adds the fifth bits of one row to its nibbles. */
    public static void addBits(MemorySegment data, long lines, int position, byte[] out) {
        for (int j = 0; j < BLOCK; j++) {
            int bits = data.get(ValueLayout.JAVA_BYTE, lines + (long) (j / 8) * ROWS + position);
            out[j] += (byte) ((bits >>> j % 8 & 1) << FIFTH);
        }
    }

    /** The nibbles of all rows, (32 columns, 32 rows as packed), {@code centre} taken off. */
    public static void tile(MemorySegment data, long lines, int centre, byte[] out) {
        for (int at = 0; at < HALF * ROWS; at += Long.BYTES) {
            long pairs = data.get(LONG, lines + at);
            EIGHT_BYTES.set(out, at, less(pairs & 15 * ONES, centre));
            EIGHT_BYTES.set(out, at + HALF * ROWS, less(pairs >>> 4 & 15 * ONES, centre));
        }
    }

    /** Nibbles with fifth bits of all rows, {@code centre} taken off. */
    public static void tile(MemorySegment data, long lines, long bitLines, int centre, byte[] out) {
        for (int j = 0; j < HALF; j++) {
            long firstBits = bitLines + (long) (j / 8) * ROWS;
            for (int at = 0; at < ROWS; at += Long.BYTES) {
                long pairs = data.get(LONG, lines + (long) j * ROWS + at);
                long low = data.get(LONG, firstBits + at) >>> j % 8 & ONES;
                long high = data.get(LONG, firstBits + 2L * ROWS + at) >>> j % 8 & ONES;
                EIGHT_BYTES.set(out, j * ROWS + at, less((pairs & 15 * ONES) | low << FIFTH, centre));
                EIGHT_BYTES.set(out, (j + HALF) * ROWS + at, less((pairs >>> 4 & 15 * ONES) | high << FIFTH, centre));
            }
        }
    }

    /** Takes a number off eight bytes from 0 to 127; no borrow leaves its byte. */
    private static long less(long bytes, int centre) {
        return ((bytes | SIGNS) - centre * ONES) ^ SIGNS;
    }

    /** Packs an integer of column j and one of column j + 16; of more than four bits, the lower ones. */
    public static byte pair(int low, int high) {
        return (byte) ((low & 15) | (high & 15) << 4);
    }

    /** Packs 32 integers from 0 to 31: {@link #BIT_BYTES} of fifth bits, then {@link #BYTES} of nibbles. */
    public static void putWithBits(int[] quants, byte[] out) {
        for (int i = 0; i < BIT_BYTES; i++) {
            int bits = 0;
            for (int b = 0; b < 8; b++) {
                bits |= quants[8 * i + b] >> FIFTH << b;
            }
            out[i] = (byte) bits;
        }
        for (int j = 0; j < HALF; j++) {
            out[BIT_BYTES + j] = pair(quants[j], quants[j + HALF]);
        }
    }
}
