package dev.tidestream.model.format.tq10;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.ternary.TernaryFormat;

import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * 256 ternary digits, five to a byte, and an F16 scale. Its panels are those of TQ2_0, which {@link TernaryFormat} draws: a fifth larger
 * than the file, and nothing is lost.
 *
 * <pre>
 * file:  54 bytes | 32 bytes: columns 0–159 | 16 bytes: columns 160–239 | 4 bytes: columns 240–255 | d: F16 |
 *        of p bytes in a part, byte m has column n p + m as its digit n = 0 … 4 (3 in the last part) after the point:
 *        the byte is ceil(256 * 0.d0 d1 d2 d3 d4), to base 3
 * </pre>
 */
public final class TQ10 extends TernaryFormat {
    private static final int FILE_BYTES = 54;
    private static final int FILE_D = 52;
    private static final int[] POWERS = {1, 3, 9, 27, 81};

    public TQ10() {
        super(SUPER_BLOCK, FILE_BYTES, false);
    }

    @Override
    public String panelsOf() {
        return "TQ2_0";
    }

    @Override
    protected float scale(MemorySegment tensor, long at) {
        return Float.float16ToFloat(tensor.get(PanelLayout.SHORT, at + FILE_D));
    }

    @Override
    protected void decode(MemorySegment tensor, long at, byte[] out) {
        for (int k = 0; k < SUPER_BLOCK; k++) {
            if (k < 160) {
                out[k] = digit(tensor, at + k % 32, k / 32);
            } else if (k < 240) {
                out[k] = digit(tensor, at + 32 + k % 16, (k - 160) / 16);
            } else {
                out[k] = digit(tensor, at + 48 + k % 4, (k - 240) / 4);
            }
        }
    }

    /** What is left of the point once it is moved behind the digits before: 0, 1 or 2. */
    private static byte digit(MemorySegment tensor, long at, int n) {
        int fraction = (tensor.get(ValueLayout.JAVA_BYTE, at) & 255) * POWERS[n] & 255;
        return (byte) ((fraction * 3) >> 8);
    }

    @Override
    protected void assemble(float d, byte[] quants, MemorySegment tensor, long at) {
        for (int m = 0; m < 32; m++) {
            putDigits(quants, m, 32, 5, tensor, at + m);
        }
        for (int m = 0; m < 16; m++) {
            putDigits(quants, 160 + m, 16, 5, tensor, at + 32 + m);
        }
        for (int m = 0; m < 4; m++) {
            putDigits(quants, 240 + m, 4, 4, tensor, at + 48 + m);
        }
        tensor.set(PanelLayout.SHORT, at + FILE_D, Float.floatToFloat16(d));
    }

    /** Some digits as a number below 1 to base 3, in 256ths, rounded up: then {@link #digit} finds each of them. */
    private static void putDigits(byte[] quants, int first, int step, int count, MemorySegment tensor, long at) {
        int number = 0;
        for (int n = 0; n < 5; n++) {
            int digit = n < count ? quants[first + n * step] : 0;
            if (digit > 2) {
                throw new IllegalArgumentException("not ternary: " + digit);
            }
            number = number * 3 + digit;
        }
        tensor.set(ValueLayout.JAVA_BYTE, at, (byte) Math.ceilDiv(number * 256, 243));
    }

    @Override
    public void makeFinite(MemorySegment rowMajor, long from, long to) {
        for (long at = from; at < to; at += FILE_BYTES) {
            rowMajor.set(PanelLayout.SHORT, at + FILE_D, Float.floatToFloat16(SAMPLE_SCALE));
        }
    }
}
