package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

import static dev.tidestream.model.tensor.PanelLayout.BLOCK;
import static dev.tidestream.model.tensor.PanelLayout.BLOCKS;
import static dev.tidestream.model.tensor.PanelLayout.LINE_BYTES;
import static dev.tidestream.model.tensor.PanelLayout.Q5K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.Q6K_LINES;
import static dev.tidestream.model.tensor.PanelLayout.SCALE_BYTES;

/**
 * Single elements of K-quant panels, as {@link PanelLayout} draws them: no vectors, the reading that everything is held against.
 */
public final class KPanels {
    private static final VarHandle FOUR_BYTES = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private KPanels() {}

    /** F16 scale of a lane of the super-block at byte {@code at}. */
    public static float d(MemorySegment data, long at, int lane) {
        return Float.float16ToFloat(data.get(PanelLayout.SHORT, at + PanelLayout.position(lane) * (long) Short.BYTES));
    }

    /** F16 scale of the minima; Q4_K and Q5_K only. */
    public static float dmin(MemorySegment data, long at, int lane) {
        return d(data, at + SCALE_BYTES, lane);
    }

    /** Scale of block {@code 0 <= block < 8}; Q4_K and Q5_K only. */
    public static int scale(TensorFormat format, MemorySegment data, long at, int lane, int block) {
        return data.get(ValueLayout.JAVA_BYTE, pair(format, at, lane, block)) & 255;
    }

    /** Minimum of block {@code 0 <= block < 8}; Q4_K and Q5_K only. */
    public static int min(TensorFormat format, MemorySegment data, long at, int lane, int block) {
        return data.get(ValueLayout.JAVA_BYTE, pair(format, at, lane, block) + 1) & 255;
    }

    /** Scale of columns {@code 16 half … 16 half + 15}; Q6_K only. */
    public static int halfScale(MemorySegment data, long at, int lane, int half) {
        return data.get(ValueLayout.JAVA_BYTE, pair(TensorFormat.Q6_K, at, lane, half / 2) + half % 2);
    }

    private static long pair(TensorFormat format, long at, int lane, int block) {
        return at + PanelLayout.superBlockLine(format, block) + PanelLayout.position(lane) * 2L;
    }

    /** The integer of column {@code 0 <= k < 256}; that of Q6_K with 32 taken off. */
    public static int quant(TensorFormat format, MemorySegment data, long at, int lane, int k) {
        long quants = at + PanelLayout.superBlockLine(format, k / BLOCK) + LINE_BYTES;
        int j = k % BLOCK;
        return switch (format) {
            case Q4_K -> (word(data, quants, lane, j / 4) >>> (j % 4 * 4)) & 15;
            case Q5_K -> fiveBits(data, quants, lane, j / 16 * Q5K_LINES, j % 16);
            case Q6_K -> sixBits(data, quants, lane, j / 8 * Q6K_LINES, j % 8) << 26 >> 26;
            case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + format);
        };
    }

    private static int fiveBits(MemorySegment data, long quants, int lane, int line, int k) {
        if (k < 15) {
            return (word(data, quants, lane, line + k / 3) >>> (k % 3 * 5)) & 31;
        }
        int q = 0;
        for (int w = 0; w < Q5K_LINES; w++) {
            q |= word(data, quants, lane, line + w) >>> 15 << w;
        }
        return q;
    }

    private static int sixBits(MemorySegment data, long quants, int lane, int line, int k) {
        if (k < 6) {
            return word(data, quants, lane, line + k / 2) >>> (k % 2 == 0 ? 10 : 4) & 63;
        }
        int high = word(data, quants, lane, line + (k == 6 ? 0 : 2)) & 15;
        return (high << 2) | ((word(data, quants, lane, line + 1) >>> (k == 6 ? 0 : 2)) & 3);
    }

    private static int word(MemorySegment data, long quants, int lane, int line) {
        return data.get(PanelLayout.SHORT, quants + (long) line * LINE_BYTES + PanelLayout.position(lane) * 2L) & 0xffff;
    }

    /** Element of column {@code 0 <= k < 256}, with the bits of ggml's dequantisation: all products are exact. */
    static float element(TensorFormat format, MemorySegment data, long at, int lane, int k) {
        return scaleOf(format, data, at, lane, k) * quant(format, data, at, lane, k) - minOf(format, data, at, lane, k);
    }

    /** The 32 elements of the columns from {@code k}, a multiple of 32. */
    public static void elements(TensorFormat format, MemorySegment data, long at, int lane, int k, float[] out) {
        float min = minOf(format, data, at, lane, k);
        float first = scaleOf(format, data, at, lane, k);
        float second = scaleOf(format, data, at, lane, k + 16);
        for (int j = 0; j < BLOCK; j++) {
            out[j] = (j < 16 ? first : second) * quant(format, data, at, lane, k + j) - min;
        }
    }

    private static float scaleOf(TensorFormat format, MemorySegment data, long at, int lane, int k) {
        return d(data, at, lane)
                * (format == TensorFormat.Q6_K ? halfScale(data, at, lane, k / 16) : scale(format, data, at, lane, k / BLOCK));
    }

    private static float minOf(TensorFormat format, MemorySegment data, long at, int lane, int k) {
        return format == TensorFormat.Q6_K ? 0f : dmin(data, at, lane) * min(format, data, at, lane, k / BLOCK);
    }

    /** Writes one lane of the super-block at byte {@code at}. Whether that changed a bit. */
    public static boolean put(TensorFormat format, MemorySegment out, long at, int lane, KQuants block) {
        int position = PanelLayout.position(lane);
        int difference = exchange(out, at + position * 2L, block.d);
        if (format != TensorFormat.Q6_K) {
            difference |= exchange(out, at + SCALE_BYTES + position * 2L, block.dmin);
        }
        for (int i = 0; i < BLOCKS; i++) {
            long pair = pair(format, at, lane, i);
            difference |= exchange(out, pair, (short) ((block.scales[2 * i] & 255) | block.scales[2 * i + 1] << 8));
            difference |= putQuants(format, out, pair + LINE_BYTES, block.quants, i * BLOCK);
        }
        return difference != 0;
    }

    /** The lines of the 32 columns from {@code from}. */
    private static int putQuants(TensorFormat format, MemorySegment out, long lines, byte[] q, int from) {
        int difference = 0;
        int line = 0;
        switch (format) {
            case Q4_K -> {
                for (int k = from; k < from + BLOCK; k += 4) {
                    difference |= putWord(out, lines, line++, fourBits(q, k));
                }
            }
            case Q5_K -> {
                for (int k = from; k < from + BLOCK; k += 16) {
                    for (int w = 0; w < Q5K_LINES; w++) {
                        difference |= putWord(out, lines, line++, fiveBits(q, k, w));
                    }
                }
            }
            case Q6_K -> {
                for (int k = from; k < from + BLOCK; k += 8) {
                    for (int w = 0; w < Q6K_LINES; w++) {
                        difference |= putWord(out, lines, line++, sixBits(q, k, w));
                    }
                }
            }
            case F32, F16, BF16, Q8_0, Q4_0 -> throw new IllegalArgumentException("no K-quant: " + format);
        }
        return difference;
    }

    /** Stores {@code value}; which bits that changed. */
    private static int exchange(MemorySegment out, long at, short value) {
        int difference = out.get(PanelLayout.SHORT, at) ^ value;
        out.set(PanelLayout.SHORT, at, value);
        return difference;
    }

    private static int putWord(MemorySegment out, long lines, int line, int word) {
        return exchange(out, lines + (long) line * LINE_BYTES, (short) word);
    }

    private static int fourBits(byte[] q, int k) {
        int pairs = (int) FOUR_BYTES.get(q, k); // a nibble in each byte
        int bytes = (pairs | pairs >>> 4) & 0x00ff_00ff;
        return bytes | bytes >>> 8;
    }

    /** Word {@code w} of the 16 columns from {@code k}. */
    private static int fiveBits(byte[] q, int k, int w) {
        return q[k + 3 * w] | q[k + 3 * w + 1] << 5 | q[k + 3 * w + 2] << 10 | (q[k + 15] >> w & 1) << 15;
    }

    /** Word {@code w} of the 8 columns from {@code k}. */
    private static int sixBits(byte[] q, int k, int w) {
        int rest = switch (w) {
            case 0 -> q[k + 6] >> 2 & 15;
            case 1 -> (q[k + 6] & 3) | ((q[k + 7] & 3) << 2);
            default -> q[k + 7] >> 2 & 15;
        };
        return (q[k + 2 * w] & 63) << 10 | (q[k + 2 * w + 1] & 63) << 4 | rest;
    }
}
