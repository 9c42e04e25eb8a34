package dev.tidestream.model.patch;

/** What the values of a payload are. Every one of them is a float32, exactly. */
public enum PatchDtype {
    F32(4),
    F16(2),
    BF16(2);

    private final int bytes;

    PatchDtype(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one value. */
    public int bytes() {
        return bytes;
    }
}
