package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PlainFormat;

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
        PlainFormat plain = format.plain();
        float[] out = new float[length];
        for (int i = 0; i < length; i++) {
            out[i] = plain.element(data, i);
        }
        return out;
    }

    /**
     * Rounds one value through a format, to nearest, ties to even.
     *
     * @return the value a tensor of this format holds; infinite if it is beyond the format's largest
     * @throws IllegalArgumentException if the format is quantised
     */
    public static float round(TensorFormat format, float value) {
        return format.plain().round(value);
    }
}
