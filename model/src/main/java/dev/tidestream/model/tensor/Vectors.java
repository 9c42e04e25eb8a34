package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;

/** Small tensors (norm weights, rotary factors) that are not worth a panel. */
public final class Vectors {
    private Vectors() {}

    /**
     * Reads a vector as float32.
     *
     * @param data little-endian {@code (length)}
     * @throws IllegalArgumentException if the format is quantised
     */
    public static float[] toFloats(TensorFormat format, MemorySegment data, int length) {
        float[] out = new float[length];
        for (int i = 0; i < length; i++) {
            out[i] = switch (format) {
                case F32 -> data.get(PanelLayout.FLOAT, (long) i * Float.BYTES);
                case F16 -> Float.float16ToFloat(data.get(PanelLayout.SHORT, (long) i * Short.BYTES));
                case BF16 -> Float.intBitsToFloat(data.get(PanelLayout.SHORT, (long) i * Short.BYTES) << 16);
                case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K ->
                        throw new IllegalArgumentException("a vector cannot be quantised: " + format);
            };
        }
        return out;
    }
}
