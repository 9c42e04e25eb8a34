package dev.tidestream.model.format.base;

/** A block of 32 values as a file holds it: scales, then bytes. Filled again and again; one thread. */
public final class BlockBytes {
    /** F16 bits of the scale. */
    public short d;
    /** F16 bits of the minimum, if the format has one. */
    public short m;
    /** What follows. */
    public final byte[] bytes;

    BlockBytes(int bytes) {
        this.bytes = new byte[bytes];
    }
}
