package dev.tidestream.model.patch;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

import dev.tidestream.model.format.TensorFormat;

/**
 * What a patch must do, said plainly over a row-major matrix as a GGUF file holds it: no panels, no tiles, no team, quantisers
 * of its own with roundings in double.
 */
final class PatchOracle {
    final byte[] bytes; // row-major, patched
    final double maxAbs;
    final double rms;
    final long elements;
    final long changedRows;
    final long changedBlocks;

    private final TensorFormat format;
    private final int columns;

    /**
     * @param base row-major bytes
     * @param values {@code (rows, columns)}; null for rows that are not touched
     */
    PatchOracle(TensorFormat format, int columns, byte[] base, float[][] values, PatchKind kind) {
        boolean additive = kind == PatchKind.DELTA || kind == PatchKind.LOW_RANK;
        this.format = format;
        this.columns = columns;
        this.bytes = base.clone();
        double max = 0;
        double sum = 0;
        long touched = 0;
        long rows = 0;
        long blocks = 0;
        for (int row = 0; row < values.length; row++) {
            if (values[row] == null) {
                continue;
            }
            float[] wanted = wanted(decodeRow(base, row), values[row], additive);
            long changed = storeRow(base, row, wanted, kind != PatchKind.REPLACE);
            float[] stored = decodeRow(bytes, row);
            for (int k = 0; k < columns; k++) {
                double error = Math.abs((double) stored[k] - (double) wanted[k]);
                max = Math.max(max, error);
                sum += error * error;
            }
            touched += columns;
            rows += changed > 0 ? 1 : 0;
            blocks += changed;
        }
        this.maxAbs = max;
        this.rms = Math.sqrt(sum / touched);
        this.elements = touched;
        this.changedRows = rows;
        this.changedBlocks = blocks;
    }

    private static float[] wanted(float[] held, float[] value, boolean additive) {
        float[] out = new float[held.length];
        for (int k = 0; k < out.length; k++) {
            if (!additive) {
                out[k] = value[k];
            } else {
                // the sum in double is exact enough to be rounded once (Figueroa: 53 >= 2 * 24 + 2)
                out[k] = value[k] == 0 ? held[k] : (float) ((double) held[k] + (double) value[k]);
            }
        }
        return out;
    }

    private long storeRow(byte[] base, int row, float[] wanted, boolean keepsEqualBlocks) {
        int elements = format.blockElements();
        float[] held = decodeRow(base, row);
        long changed = 0;
        for (int from = 0; from < columns; from += elements) {
            boolean same = keepsEqualBlocks;
            for (int k = from; k < from + elements; k++) {
                same &= format.quantised() ? wanted[k] == held[k]
                        : Float.floatToRawIntBits(wanted[k]) == Float.floatToRawIntBits(held[k]);
            }
            if (!same) {
                int at = Math.toIntExact(row * format.rowBytes(columns)) + from / elements * format.blockBytes();
                byte[] block = encode(format, Arrays.copyOfRange(wanted, from, from + elements));
                changed += Arrays.equals(block, 0, block.length, base, at, at + block.length) ? 0 : 1;
                System.arraycopy(block, 0, bytes, at, block.length);
            }
        }
        return changed;
    }

    private float[] decodeRow(byte[] data, int row) {
        float[] out = new float[columns];
        int elements = format.blockElements();
        for (int from = 0; from < columns; from += elements) {
            int at = Math.toIntExact(row * format.rowBytes(columns)) + from / elements * format.blockBytes();
            System.arraycopy(decode(format, Arrays.copyOfRange(data, at, at + format.blockBytes())), 0, out, from, elements);
        }
        return out;
    }

    static float[] decode(TensorFormat format, byte[] block) {
        ByteBuffer in = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
        float[] out = new float[format.blockElements()];
        switch (format) {
            case F32 -> out[0] = in.getFloat(0);
            case F16 -> out[0] = Float.float16ToFloat(in.getShort(0));
            case BF16 -> out[0] = Float.intBitsToFloat(in.getShort(0) << 16);
            case Q8_0 -> {
                for (int j = 0; j < 32; j++) {
                    out[j] = Float.float16ToFloat(in.getShort(0)) * in.get(2 + j);
                }
            }
            case Q4_0 -> {
                for (int j = 0; j < 32; j++) {
                    int pair = in.get(2 + j % 16) & 255;
                    out[j] = Float.float16ToFloat(in.getShort(0)) * ((j < 16 ? pair % 16 : pair / 16) - 8);
                }
            }
            case Q4_1, Q5_0, Q5_1 -> {
                float offset = format == TensorFormat.Q5_0 ? 0 : Float.float16ToFloat(in.getShort(2));
                int bits = format == TensorFormat.Q4_1 ? 0 : in.getInt(block.length - 20);
                for (int j = 0; j < 32; j++) {
                    int pair = in.get(block.length - 16 + j % 16) & 255;
                    int q = (j < 16 ? pair % 16 : pair / 16) + 16 * (bits >>> j & 1);
                    float d = Float.float16ToFloat(in.getShort(0));
                    out[j] = format == TensorFormat.Q5_0 ? d * (q - 16) : (float) ((double) d * q + offset);
                }
            }
            case IQ4_NL, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TQ1_0, TQ2_0, I2_S -> throw new IllegalArgumentException("no patches for " + format);
        }
        return out;
    }

    static byte[] encode(TensorFormat format, float[] x) {
        ByteBuffer out = ByteBuffer.allocate(format.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        switch (format) {
            case F32 -> out.putFloat(x[0]);
            case F16 -> out.putShort(Float.floatToFloat16(x[0]));
            case BF16 -> out.putShort(brain(x[0]));
            case Q8_0 -> {
                float amax = 0;
                for (float value : x) {
                    amax = Math.max(amax, Math.abs(value));
                }
                float d = amax / 127f;
                float id = d != 0 ? 1f / d : 0f;
                out.putShort(Float.floatToFloat16(d));
                for (float value : x) {
                    double scaled = Float.isInfinite(id) ? 0 : value * id;
                    out.put((byte) Math.copySign(Math.floor(Math.abs(scaled) + 0.5), scaled));
                }
            }
            case Q4_0 -> {
                float max = 0;
                for (float value : x) {
                    max = Math.abs(value) > Math.abs(max) ? value : max;
                }
                float d = max / -8f;
                float id = d != 0 ? 1f / d : 0f;
                out.putShort(Float.floatToFloat16(d));
                for (int j = 0; j < 16; j++) {
                    out.put((byte) (nibble(x[j], id) + 16 * nibble(x[j + 16], id)));
                }
            }
            case Q5_0 -> {
                float max = 0;
                for (float value : x) {
                    max = Math.abs(value) > Math.abs(max) ? value : max;
                }
                float d = max / -16f;
                out.putShort(Float.floatToFloat16(d));
                fiveBits(x, 0, d, 16.5f, out);
            }
            case Q4_1 -> {
                float min = smallest(x);
                float d = (largest(x) - min) / 15f;
                float id = d != 0 ? 1f / d : 0f;
                out.putShort(Float.floatToFloat16(d)).putShort(Float.floatToFloat16(min));
                for (int j = 0; j < 16; j++) {
                    out.put((byte) (integer(x[j] - min, id, 0.5f, 15) + 16 * integer(x[j + 16] - min, id, 0.5f, 15)));
                }
            }
            case Q5_1 -> {
                float min = smallest(x);
                float d = (largest(x) - min) / 31f;
                out.putShort(Float.floatToFloat16(d)).putShort(Float.floatToFloat16(min));
                fiveBits(x, min, d, 0.5f, out);
            }
            case IQ4_NL, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TQ1_0, TQ2_0, I2_S -> throw new IllegalArgumentException("no patches for " + format);
        }
        return out.array();
    }

    private static void fiveBits(float[] x, float min, float d, float shift, ByteBuffer out) {
        float id = d != 0 ? 1f / d : 0f;
        int bits = 0;
        byte[] pairs = new byte[16];
        for (int j = 0; j < 32; j++) {
            int q = integer(x[j] - min, id, shift, 31);
            bits |= (q / 16) << j;
            pairs[j % 16] += (byte) (q % 16 * (j < 16 ? 1 : 16));
        }
        out.putInt(bits).put(pairs);
    }

    private static float smallest(float[] x) {
        float min = x[0];
        for (float value : x) {
            min = value < min ? value : min;
        }
        return min;
    }

    private static float largest(float[] x) {
        float max = x[0];
        for (float value : x) {
            max = value > max ? value : max;
        }
        return max;
    }

    private static int nibble(float x, float id) {
        return integer(x, id, 8.5f, 15);
    }

    private static int integer(float x, float id, float shift, int most) {
        float shifted = (Float.isInfinite(id) ? 0f : x * id) + shift;
        return (int) Math.min(most, Math.floor(shifted));
    }

    /** The nearer of the two neighbours, the even one if there is no nearer. */
    private static short brain(float x) {
        int below = Float.floatToRawIntBits(x) >>> 16;
        double low = Math.abs(Float.intBitsToFloat(below << 16));
        double high = (below & 0x7fff) == 0x7f7f ? 0x1p128 : Math.abs(Float.intBitsToFloat((below + 1) << 16));
        double toLow = Math.abs((double) x) - low;
        double toHigh = high - Math.abs((double) x);
        return (short) (toHigh < toLow || (toHigh == toLow && (below & 1) == 1) ? below + 1 : below);
    }
}
