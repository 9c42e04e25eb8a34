package dev.tidestream.model.format.superblock;

import static dev.tidestream.model.format.base.PanelLayout.SUPER_BLOCK;

/** One super-block of 256 columns of one row taken apart. Filled again and again; one thread. */
public final class SuperBlock {
    /** F16 bits. */
    public short d;
    /** F16 bits; 0 if there are no minima. */
    public short dmin;
    /** The two bytes of each block of 32 columns, as a panel holds them. */
    public final byte[] scales = new byte[16]; // (8, 2)
    /** Integers, centred. */
    public final byte[] quants = new byte[SUPER_BLOCK];

    /** Whether every element is finite. */
    public boolean finite() {
        return (d & 0x7c00) != 0x7c00 && (dmin & 0x7c00) != 0x7c00;
    }
}
