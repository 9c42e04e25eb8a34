package dev.tidestream.model.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;

/** Row-major matrices of random weights in any format, as a GGUF file holds them. */
public final class RandomWeights {
    private static final int[] IQ4_NL = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private RandomWeights() {}

    /** Every bit pattern that is finite may occur, subnormals and both zeros among them. */
    public static MemorySegment rowMajor(TensorFormat format, int rows, int columns, SplittableRandom random, Arena arena) {
        MemorySegment data = arena.allocate(format.format().fileBytes(rows, columns), 64);
        long blocks = (long) rows * columns / format.blockElements();
        for (long block = 0; block < blocks; block++) {
            long at = block * format.blockBytes();
            switch (format) {
                case F32 -> data.set(PanelLayout.FLOAT, at, (float) random.nextGaussian());
                case F16 -> data.set(PanelLayout.SHORT, at, half(random));
                case BF16 -> data.set(PanelLayout.SHORT, at, (short) (Float.floatToIntBits((float) random.nextGaussian()) >>> 16));
                case Q8_0, Q4_0, IQ4_NL, Q5_0, Q4_1, Q5_1 -> {
                    boolean minima = format == TensorFormat.Q4_1 || format == TensorFormat.Q5_1;
                    data.set(PanelLayout.SHORT, at, half(random));
                    if (minima) {
                        data.set(PanelLayout.SHORT, at + Short.BYTES, half(random));
                    }
                    for (int j = (minima ? 2 : 1) * Short.BYTES; j < format.blockBytes(); j++) {
                        data.set(ValueLayout.JAVA_BYTE, at + j, (byte) random.nextInt());
                    }
                }
                case TQ1_0, TQ2_0 -> {
                    for (int j = 0; j < format.blockBytes(); j++) {
                        data.set(ValueLayout.JAVA_BYTE, at + j, (byte) random.nextInt());
                    }
                    data.set(PanelLayout.SHORT, at + format.blockBytes() - Short.BYTES, half(random));
                }
                case I2_S -> {
                    for (int j = 0; j < format.blockBytes(); j++) {
                        data.set(ValueLayout.JAVA_BYTE, at + j, (byte) random.nextInt());
                    }
                }
                case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> {
                    for (int j = 0; j < format.blockBytes(); j++) {
                        data.set(ValueLayout.JAVA_BYTE, at + j, (byte) random.nextInt());
                    }
                    int d = format == TensorFormat.Q6_K ? 208 : format == TensorFormat.Q3_K ? 108 : format == TensorFormat.Q2_K ? 80 : 0;
                    data.set(PanelLayout.SHORT, at + d, half(random));
                    if (d < 100) {
                        data.set(PanelLayout.SHORT, at + d + 2, half(random));
                    }
                }
            }
        }
        if (format == TensorFormat.I2_S) { // one scale, and 28 bytes of anything
            data.set(PanelLayout.FLOAT, data.byteSize() - 32, (float) random.nextGaussian());
            data.set(PanelLayout.FLOAT, data.byteSize() - 28, Float.NaN);
        }
        return data;
    }

    private static short half(SplittableRandom random) {
        return switch (random.nextInt(16)) {
            case 0 -> (short) random.nextInt(0x400); // subnormal
            case 1 -> (short) (0x8000 | random.nextInt(0x400));
            case 2 -> (short) (random.nextBoolean() ? 0x8000 : 0);
            case 3 -> (short) (random.nextBoolean() ? 0x7bff : 0xfbff); // the largest
            default -> Float.floatToFloat16((float) (random.nextGaussian() * 0.05));
        };
    }

    /** Row {@code row} of a row-major matrix as float32: the plain reading of the format, without panels. */
    public static float[] dequantised(TensorFormat format, MemorySegment data, int row, int columns) {
        float[] out = new float[columns];
        long start = row * format.rowBytes(columns);
        for (int k = 0; k < columns; k++) {
            long at = start + (long) k / format.blockElements() * format.blockBytes();
            int j = k % format.blockElements();
            out[k] = switch (format) {
                case F32 -> data.get(PanelLayout.FLOAT, at);
                case F16 -> Float.float16ToFloat(data.get(PanelLayout.SHORT, at));
                case BF16 -> Float.intBitsToFloat(data.get(PanelLayout.SHORT, at) << 16);
                case Q8_0 -> Float.float16ToFloat(data.get(PanelLayout.SHORT, at)) * data.get(ValueLayout.JAVA_BYTE, at + 2 + j);
                case Q4_0 -> {
                    int pair = data.get(ValueLayout.JAVA_BYTE, at + 2 + j % 16);
                    yield Float.float16ToFloat(data.get(PanelLayout.SHORT, at)) * (((j < 16 ? pair : pair >> 4) & 15) - 8);
                }
                case Q4_1 -> half(data, at) * nibble(data, at + 4, j) + half(data, at + 2);
                case IQ4_NL -> half(data, at) * IQ4_NL[nibble(data, at + 2, j)];
                case Q2_K -> {
                    int scale = byteAt(data, at + j / 16);
                    float min = half(data, at + 82) * (scale >> 4);
                    yield half(data, at + 80) * (scale % 16)
                            * (byteAt(data, at + 16 + j / 128 * 32L + j % 32) >> (j / 32 % 4 * 2) & 3) - min;
                }
                case Q3_K -> {
                    int bits = byteAt(data, at + 32 + j / 128 * 32L + j % 32) >> (j / 32 % 4 * 2) & 3;
                    int q = (byteAt(data, at + j % 32) >> (j / 32) & 1) == 1 ? bits : bits - 4;
                    yield half(data, at + 108) * (threeBitScale(data, at + 96, j / 16) - 32) * q;
                }
                case TQ2_0 -> half(data, at + 64) * ((byteAt(data, at + j / 128 * 32L + j % 32) >> (j / 32 % 4 * 2) & 3) - 1);
                case TQ1_0 -> half(data, at + 52) * ((j < 160 ? digit(byteAt(data, at + j % 32), j / 32)
                        : j < 240 ? digit(byteAt(data, at + 32 + j % 16), (j - 160) / 16)
                        : digit(byteAt(data, at + 48 + j % 4), (j - 240) / 4)) - 1);
                case I2_S -> data.get(PanelLayout.FLOAT, data.byteSize() - 32) * ((byteAt(data, at + j % 32) >> (6 - j / 32 * 2) & 3) - 1);
                case Q5_0 -> half(data, at) * (nibble(data, at + 6, j) + fifthBit(data, at + 2, j) - 16);
                case Q5_1 -> half(data, at) * (nibble(data, at + 8, j) + fifthBit(data, at + 4, j)) + half(data, at + 2);
                case Q4_K -> withMinimum(data, at, j, (byteAt(data, at + 16 + j / 64 * 32L + j % 32) >> (j / 32 % 2 * 4)) & 15);
                case Q5_K -> withMinimum(data, at, j, ((byteAt(data, at + 48 + j / 64 * 32L + j % 32) >> (j / 32 % 2 * 4)) & 15)
                        + ((byteAt(data, at + 16 + j % 32) >> (j / 32)) & 1) * 16);
                case Q6_K -> {
                    int low = (byteAt(data, at + j / 128 * 64L + j % 64) >> (j % 128 / 64 * 4)) & 15;
                    int high = (byteAt(data, at + 128 + j / 128 * 32L + j % 32) >> (j % 128 / 32 * 2)) & 3;
                    int scale = data.get(ValueLayout.JAVA_BYTE, at + 192 + j / 16);
                    yield Float.float16ToFloat(data.get(PanelLayout.SHORT, at + 208)) * scale * (low + 16 * high - 32);
                }
            };
        }
        return out;
    }

    private static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(PanelLayout.SHORT, at));
    }

    /** Q3_K; ggml's masks, one scale at a time. */
    private static int threeBitScale(MemorySegment data, long at, int i) {
        int low = i < 8 ? byteAt(data, at + i) % 16 : byteAt(data, at + i - 8) / 16;
        return low + 16 * (byteAt(data, at + 8 + i % 4) >> (i / 4 * 2) & 3);
    }

    /** Digit n behind the point of a fraction in base 3. */
    private static int digit(int fraction256, int n) {
        double fraction = fraction256 / 256.0;
        for (int i = 0; i < n; i++) {
            fraction = 3 * fraction % 1;
        }
        return (int) (3 * fraction);
    }

    private static int nibble(MemorySegment data, long at, int j) {
        return byteAt(data, at + j % 16) >> (j / 16 * 4) & 15;
    }

    private static int fifthBit(MemorySegment data, long at, int j) {
        return (byteAt(data, at + j / 8) >> (j % 8) & 1) * 16;
    }

    /** Q4_K and Q5_K; ggml's {@code get_scale_min_k4}. */
    private static float withMinimum(MemorySegment data, long at, int j, int q) {
        int i = j / 32;
        int scale = i < 4 ? byteAt(data, at + 4 + i) & 63
                : (byteAt(data, at + 8 + i) & 15) | (byteAt(data, at + i) >> 6 << 4);
        int min = i < 4 ? byteAt(data, at + 8 + i) & 63
                : (byteAt(data, at + 8 + i) >> 4) | (byteAt(data, at + 4 + i) >> 6 << 4);
        float d1 = Float.float16ToFloat(data.get(PanelLayout.SHORT, at)) * scale;
        float m1 = Float.float16ToFloat(data.get(PanelLayout.SHORT, at + 2)) * min;
        return d1 * q - m1;
    }

    private static int byteAt(MemorySegment data, long at) {
        return data.get(ValueLayout.JAVA_BYTE, at) & 255;
    }
}
