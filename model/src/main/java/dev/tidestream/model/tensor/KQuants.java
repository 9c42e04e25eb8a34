package dev.tidestream.model.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads K-quants (ggml, {@code k_quants}), for which there are no panels yet: a matrix in one of them is unpacked to F32 when a
 * model is loaded. llama-quantize writes the embedding of most 4-bit files as Q6_K, so those files need it.
 *
 * <pre>
 * Q6_K: 256 elements in 210 bytes
 *   ql: 128 bytes, low 4 bits | qh: 64 bytes, high 2 bits | scales: 16 int8 | d: F16        w = d * scale * (q - 32)
 * </pre>
 */
public final class KQuants {
    private static final int ELEMENTS = 256;
    private static final int Q6_BYTES = 210;
    private static final int Q6_HIGH = 128;
    private static final int Q6_SCALES = 192;
    private static final int Q6_D = 208;

    private KQuants() {}

    /**
     * Unpacks Q6_K.
     *
     * @param in blocks of 210 bytes
     * @param out receives 256 little-endian float32 per block
     */
    public static void unpackQ6K(MemorySegment in, MemorySegment out) {
        for (long block = 0; block < in.byteSize() / Q6_BYTES; block++) {
            long from = block * Q6_BYTES;
            float d = Float.float16ToFloat(in.get(PanelMatrix.SHORT, from + Q6_D));
            for (int i = 0; i < ELEMENTS; i++) {
                int half = i / 128; // 128 elements: 64 bytes of ql, 32 of qh, 8 scales
                int quarter = i % 128 / 32;
                int l = i % 32;
                int low = (in.get(ValueLayout.JAVA_BYTE, from + half * 64L + quarter % 2 * 32L + l) >> (quarter / 2 * 4)) & 15;
                int high = (in.get(ValueLayout.JAVA_BYTE, from + Q6_HIGH + half * 32L + l) >> (quarter * 2)) & 3;
                int scale = in.get(ValueLayout.JAVA_BYTE, from + Q6_SCALES + half * 8L + quarter * 2L + l / 16);
                out.set(PanelMatrix.FLOAT, (block * ELEMENTS + i) * Float.BYTES, d * scale * ((low | (high << 4)) - 32));
            }
        }
    }
}
