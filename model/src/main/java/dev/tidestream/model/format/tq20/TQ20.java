package dev.tidestream.model.format.tq20;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.ternary.TernaryFormat;

import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * 256 integers of two bits and an F16 scale; {@link TernaryFormat} describes its panels.
 *
 * <pre>
 * file:  66 bytes | q: 64 bytes | d: F16 |
 *        byte 32 h + m of q: bits 2l and 2l + 1 belong to column 128 h + 32 l + m      (h = 0, 1; l = 0 … 3; m = 0 … 31)
 * </pre>
 */
public final class TQ20 extends TernaryFormat {
    private static final int FILE_BYTES = 66;
    private static final int FILE_D = 64;

    public TQ20() {
        super(SUPER_BLOCK, FILE_BYTES, false);
    }

    @Override
    protected float scale(MemorySegment tensor, long at) {
        return Float.float16ToFloat(tensor.get(PanelLayout.SHORT, at + FILE_D));
    }

    @Override
    protected void decode(MemorySegment tensor, long at, byte[] out) {
        for (int k = 0; k < SUPER_BLOCK; k++) {
            out[k] = (byte) (tensor.get(ValueLayout.JAVA_BYTE, at + k / 128 * 32L + k % 32) >> (k % 128 / 32 * 2) & 3);
        }
    }

    @Override
    protected void assemble(float d, byte[] quants, MemorySegment tensor, long at) {
        for (int j = 0; j < FILE_D; j++) {
            int four = 0;
            for (int i = 0; i < 4; i++) {
                four |= quants[j / 32 * 128 + 32 * i + j % 32] << (2 * i);
            }
            tensor.set(ValueLayout.JAVA_BYTE, at + j, (byte) four);
        }
        tensor.set(PanelLayout.SHORT, at + FILE_D, Float.floatToFloat16(d));
    }

    @Override
    public void makeFinite(MemorySegment rowMajor, long from, long to) {
        for (long at = from; at < to; at += FILE_BYTES) {
            rowMajor.set(PanelLayout.SHORT, at + FILE_D, Float.floatToFloat16(SAMPLE_SCALE));
        }
    }
}
