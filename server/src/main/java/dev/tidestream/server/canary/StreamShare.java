package dev.tidestream.server.canary;

/** Which streams belong to a share of all: by chance, but always the same ones. Pure. */
final class StreamShare {
    private static final long FIRST_FACTOR = 0xFF51AFD7ED558CCDL;
    private static final long SECOND_FACTOR = 0xC4CEB9FE1A85EC53L;
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    private static final long FNV_OFFSET = 0xCBF29CE484222325L;
    private static final long FNV_PRIME = 0x100000001B3L;
    private static final double ULP = 0x1.0p-53;
    private static final int SHIFT = 33;
    private static final int DROPPED_BITS = 11;

    private StreamShare() {}

    /**
     * Whether a number belongs to it.
     *
     * @param salt other numbers belong to the shares of other salts
     * @param share 0: none, 1: all
     */
    static boolean has(long number, long salt, double share) {
        return (mix(mix(number) + salt * GOLDEN) >>> DROPPED_BITS) * ULP < share;
    }

    /** The number of a name: FNV-1a of its UTF-16 code units. */
    static long number(String name) {
        long hash = FNV_OFFSET;
        for (int i = 0; i < name.length(); i++) {
            hash = (hash ^ name.charAt(i)) * FNV_PRIME;
        }
        return hash;
    }

    /** MurmurHash3's last step, of 64 bits: a sampler makes its random numbers of the same seed with another. */
    private static long mix(long number) {
        long mixed = (number ^ (number >>> SHIFT)) * FIRST_FACTOR;
        mixed = (mixed ^ (mixed >>> SHIFT)) * SECOND_FACTOR;
        return mixed ^ (mixed >>> SHIFT);
    }
}
