package dev.tidestream.model.format.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

import static dev.tidestream.model.format.base.PanelLayout.BLOCK;
import static dev.tidestream.model.format.base.PanelLayout.ROWS;
import static dev.tidestream.model.format.base.PanelLayout.SCALE_BYTES;

/**
 * Packs 32 rows at the speed of memory: 8 rows by 8 bytes (or 4 by 4 elements of 16 bits) are turned in registers, so that a line of
 * a panel is written by longs and not by bytes. What formats do row by row is the oracle.
 */
final class PanelTransposer {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int SCALE_EXPONENT = 0x7c00; // of F16
    private static final long LANES = 0x0001_0001_0001_0001L;
    private static final long BYTES = 0x00ff_00ff_00ff_00ffL;
    private static final long SHORTS = 0x0000_ffff_0000_ffffL;
    private static final long INTS = 0x0000_0000_ffff_ffffL;

    private PanelTransposer() {}

    /**
     * Packs blocks of 32 columns: scales of 16 bits, then bytes that stay bytes.
     *
     * @param in row-major (32, columns)
     * @param scales 16-bit numbers in front of a block
     * @param quantBytes what follows them
     * @return whether all scales are finite
     */
    static boolean blocks(int columns, MemorySegment in, MemorySegment out, int scales, int quantBytes) {
        int blocks = columns / BLOCK;
        int blockBytes = scales * Short.BYTES + quantBytes;
        long rowBytes = (long) blocks * blockBytes;
        int eights = quantBytes / 8 * 8;
        for (int block = 0; block < blocks; block++) {
            long from = (long) block * blockBytes;
            long to = (long) block * blockBytes * ROWS;
            for (int i = 0; i < scales; i++) {
                if (!scales(in, from + (long) i * Short.BYTES, rowBytes, out, to + (long) i * SCALE_BYTES)) {
                    return false;
                }
            }
            from += (long) scales * Short.BYTES;
            to += (long) scales * SCALE_BYTES;
            for (int quad = 0; quad < ROWS / 8; quad++) {
                long row = from + quad * 4L * rowBytes;
                for (int j = 0; j < eights; j += 8) {
                    eightByEight(in, row + j, rowBytes, out, to + (long) j * ROWS + quad * 8L);
                }
            }
            for (int j = eights; j < quantBytes; j++) {
                line(in, from + j, rowBytes, out, to + (long) j * ROWS);
            }
        }
        return true;
    }

    private static void line(MemorySegment in, long from, long rowBytes, MemorySegment out, long to) {
        for (int row = 0; row < ROWS; row++) {
            out.set(ValueLayout.JAVA_BYTE, to + PanelLayout.position(row), in.get(ValueLayout.JAVA_BYTE, from + row * rowBytes));
        }
    }

    private static boolean scales(MemorySegment in, long from, long rowBytes, MemorySegment out, long to) {
        boolean finite = true;
        for (int i = 0; i < ROWS / 2; i++) {
            short low = in.get(PanelLayout.SHORT, from + i * rowBytes);
            short high = in.get(PanelLayout.SHORT, from + (i + 16) * rowBytes);
            finite &= (low & SCALE_EXPONENT) != SCALE_EXPONENT && (high & SCALE_EXPONENT) != SCALE_EXPONENT;
            out.set(PanelLayout.SHORT, to + i * 4L, low);
            out.set(PanelLayout.SHORT, to + i * 4L + Short.BYTES, high);
        }
        return finite;
    }

    /** Bytes 0–7 of rows 0 16 1 17 2 18 3 19 (counted from {@code from}) become 8 lines of 8 bytes. */
    private static void eightByEight(MemorySegment in, long from, long rowBytes, MemorySegment out, long to) {
        long far = from + 16 * rowBytes;
        long a = in.get(LONG, from);
        long b = in.get(LONG, far);
        long c = in.get(LONG, from + rowBytes);
        long d = in.get(LONG, far + rowBytes);
        long e = in.get(LONG, from + 2 * rowBytes);
        long f = in.get(LONG, far + 2 * rowBytes);
        long g = in.get(LONG, from + 3 * rowBytes);
        long h = in.get(LONG, far + 3 * rowBytes);
        long t;
        t = ((a >>> 8) ^ b) & BYTES;
        b ^= t;
        a ^= t << 8;
        t = ((c >>> 8) ^ d) & BYTES;
        d ^= t;
        c ^= t << 8;
        t = ((e >>> 8) ^ f) & BYTES;
        f ^= t;
        e ^= t << 8;
        t = ((g >>> 8) ^ h) & BYTES;
        h ^= t;
        g ^= t << 8;
        t = ((a >>> 16) ^ c) & SHORTS;
        c ^= t;
        a ^= t << 16;
        t = ((b >>> 16) ^ d) & SHORTS;
        d ^= t;
        b ^= t << 16;
        t = ((e >>> 16) ^ g) & SHORTS;
        g ^= t;
        e ^= t << 16;
        t = ((f >>> 16) ^ h) & SHORTS;
        h ^= t;
        f ^= t << 16;
        out.set(LONG, to, (a & INTS) | (e << 32));
        out.set(LONG, to + ROWS, (b & INTS) | (f << 32));
        out.set(LONG, to + 2L * ROWS, (c & INTS) | (g << 32));
        out.set(LONG, to + 3L * ROWS, (d & INTS) | (h << 32));
        out.set(LONG, to + 4L * ROWS, (a >>> 32) | (e & ~INTS));
        out.set(LONG, to + 5L * ROWS, (b >>> 32) | (f & ~INTS));
        out.set(LONG, to + 6L * ROWS, (c >>> 32) | (g & ~INTS));
        out.set(LONG, to + 7L * ROWS, (d >>> 32) | (h & ~INTS));
    }

    /**
     * Packs elements of 16 bits.
     *
     * @param in row-major (32, columns)
     * @param exponent its bits
     * @return whether all are finite
     */
    static boolean shorts(int columns, MemorySegment in, MemorySegment out, int exponent) {
        long rowBytes = (long) columns * Short.BYTES;
        int whole = columns / 4 * 4;
        long exponents = exponent * LANES;
        long bad = 0;
        for (int k = 0; k < whole; k += 4) {
            for (int pair = 0; pair < ROWS / 4; pair++) {
                long from = 2L * pair * rowBytes + (long) k * Short.BYTES;
                bad |= fourByFour(in, from, rowBytes, out, (long) k * ROWS * Short.BYTES + pair * 8L, exponents);
            }
        }
        for (int k = whole; k < columns; k++) {
            for (int row = 0; row < ROWS; row++) {
                short bits = in.get(PanelLayout.SHORT, row * rowBytes + (long) k * Short.BYTES);
                bad |= (bits & exponent) == exponent ? 1 : 0;
                out.set(PanelLayout.SHORT, ((long) k * ROWS + PanelLayout.position(row)) * Short.BYTES, bits);
            }
        }
        return bad == 0;
    }

    /**
     * Elements 0–3 of rows 0 16 1 17 (counted from {@code from}) become 4 lines of 4 elements.
     *
     * @return not 0 if an exponent has all bits set
     */
    private static long fourByFour(MemorySegment in, long from, long rowBytes, MemorySegment out, long to, long exponents) {
        long a = in.get(LONG, from);
        long b = in.get(LONG, from + 16 * rowBytes);
        long c = in.get(LONG, from + rowBytes);
        long d = in.get(LONG, from + 17 * rowBytes);
        long bad = allSet(a, exponents) | allSet(b, exponents) | allSet(c, exponents) | allSet(d, exponents);
        long t = ((a >>> 16) ^ b) & SHORTS;
        b ^= t;
        a ^= t << 16;
        t = ((c >>> 16) ^ d) & SHORTS;
        d ^= t;
        c ^= t << 16;
        long line = (long) ROWS * Short.BYTES;
        out.set(LONG, to, (a & INTS) | (c << 32));
        out.set(LONG, to + line, (b & INTS) | (d << 32));
        out.set(LONG, to + 2 * line, (a >>> 32) | (c & ~INTS));
        out.set(LONG, to + 3 * line, (b >>> 32) | (d & ~INTS));
        return bad;
    }

    /** Not 0 if in one of the four lanes all bits of the mask are set. */
    private static long allSet(long lanes, long mask) {
        long missing = ~lanes & mask; // a lane is 0 if nothing is missing
        return (missing - LANES) & ~missing & (LANES << 15);
    }
}
