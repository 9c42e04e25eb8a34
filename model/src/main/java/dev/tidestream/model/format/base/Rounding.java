package dev.tidestream.model.format.base;

/**
 * The families of formats that round alike when they are multiplied, as {@code Kernels.multiply} specifies them. A kernel that
 * has no code of its own for a format goes by its family.
 */
public enum Rounding {
    /** Elements alone: one chain over a row. */
    PLAIN(0, false),
    /** {@code w = d * q} in blocks of 32: chains over columns 0–15 and 16–31. */
    BLOCKS(16, false),
    /** {@code w = d * q + m} in blocks of 32: a chain over elements. */
    BLOCKS_WITH_MINIMA(0, true),
    /** {@code w = d * scale * q - dmin * min}, a scale and a minimum for each block of 32: a chain over elements. */
    SUPER_BLOCKS_WITH_MINIMA(0, true),
    /** {@code w = d * scale * q} with a scale for each 16 columns: chains over eight and eight of them. */
    HALVES(8, false),
    /** {@code w = d * scale * q - dmin * min} with a scale and a minimum for each 16 columns: a chain over elements. */
    HALVES_WITH_MINIMA(0, true);

    private final int chain;
    private final boolean minima;

    Rounding(int chain, boolean minima) {
        this.chain = chain;
        this.minima = minima;
    }

    /** With float activations: the integers that a chain goes over before it is scaled; 0 if one goes over elements, to the end. */
    public int chain() {
        return chain;
    }

    /** Whether something is added to the scaled integers. */
    public boolean minima() {
        return minima;
    }
}
