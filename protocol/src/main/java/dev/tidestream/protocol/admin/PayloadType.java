package dev.tidestream.protocol.admin;

import java.util.Locale;

/** Element types of a payload, little-endian; the wire form is the lower-case name. */
public enum PayloadType {
    F32(4),
    F16(2),
    BF16(2);

    private final int bytes;

    PayloadType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** The name as it stands in a frame, e.g. {@code bf16}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
