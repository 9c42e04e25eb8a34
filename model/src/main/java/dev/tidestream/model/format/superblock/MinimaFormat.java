package dev.tidestream.model.format.superblock;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import dev.tidestream.model.format.base.LaneBlock;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.format.base.Rounding;

import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/**
 * Super-blocks whose blocks have a scale and a minimum of 6 bits (8 in a panel): {@code w = d * scale * q - dmin * min}.
 *
 * <pre>
 * file:  | d: F16 | dmin: F16 | scales: 12 bytes | what the format has |
 *        scales: 8 scales s and 8 minima m of 6 bits. Bytes 0–3: the low 6 bits are s0–s3, the high 2 bits those of s4–s7;
 *        bytes 4–7: the same of m0–m3 and m4–m7; bytes 8–11: the low nibble has the low 4 bits of s4–s7, the high nibble of m4–m7
 * panel: the two bytes of a block are its scale and its minimum
 * </pre>
 */
public abstract class MinimaFormat extends SuperBlockFormat {
    /** Little-endian. */
    protected static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Eight bytes of an array. */
    protected static final VarHandle EIGHT_BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    /** 1 in each of eight bytes. */
    protected static final long ONES = 0x0101_0101_0101_0101L;

    private static final int SCALES = 4;
    private static final int[] HALVES = {0, Short.BYTES};

    private final SuperBlockQuantiser.Search search;

    /** @param search how its encoder looks for scales */
    protected MinimaFormat(int fileBytes, int lines, SuperBlockQuantiser.Search search) {
        super(Rounding.SUPER_BLOCKS_WITH_MINIMA, fileBytes, lines);
        this.search = search;
    }

    @Override
    protected final int[] halves() {
        return HALVES;
    }

    @Override
    protected final void scales(int first, int second, LaneBlock out) {
        out.scales[0] = first;
        out.scales[1] = first;
        out.mins[0] = second;
        out.mins[1] = second;
    }

    @Override
    public final void encode(float[] x, SuperBlock out, SuperBlockQuantiser quantiser) {
        quantiser.withMinima(x, search, out);
    }

    /** What stands before the integers. */
    protected static void decodeScales(MemorySegment in, long at, SuperBlock out) {
        out.d = in.get(PanelLayout.SHORT, at);
        out.dmin = in.get(PanelLayout.SHORT, at + Short.BYTES);
        long packed = at + SCALES;
        byte[] scales = out.scales;
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

    /** Nibbles of a file: block 2i in the low ones of 32 bytes, block 2i + 1 in the high ones. */
    protected static void decodeNibbles(MemorySegment in, long at, byte[] quants) {
        for (int k = 0; k < SUPER_BLOCK; k += Long.BYTES) {
            long pairs = in.get(LONG, at + k / 64 * 32L + k % 32);
            EIGHT_BYTES.set(quants, k, (pairs >>> (k % 64 / 32 * 4)) & 15 * ONES);
        }
    }

    private static int unsigned(MemorySegment in, long at) {
        return in.get(ValueLayout.JAVA_BYTE, at) & 255;
    }
}
