package dev.tidestream.model.tensor;

/** How keys and values are stored. Computation is in float32 either way. */
public enum KvType {
    /** IEEE 754 half precision, rounded to nearest even; what is finite and out of range becomes ±65504. */
    F16(Short.BYTES),
    /** Single precision, as computed. */
    F32(Float.BYTES);

    private final int elementBytes;

    KvType(int elementBytes) {
        this.elementBytes = elementBytes;
    }

    /** Bytes of an element. */
    public int elementBytes() {
        return elementBytes;
    }
}
