package dev.tidestream.protocol.options;

/**
 * Which weights a stream begins with; on the wire {@code weights} with a number, and {@code min_version}.
 *
 * @param version the one that it needs, which must be in memory; {@link #ANY}: the newest
 * @param atLeast the lowest that it takes; {@link #ANY}: any
 */
public record WeightsWish(long version, long atLeast) {
    /** In the place of a version: whichever is current. */
    public static final long ANY = -1;

    /** The newest, whichever it is. */
    public static final WeightsWish NEWEST = new WeightsWish(ANY, ANY);
}
