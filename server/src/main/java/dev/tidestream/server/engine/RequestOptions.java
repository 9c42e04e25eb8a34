package dev.tidestream.server.engine;

/**
 * What may be asked of a stream beside its tokens.
 *
 * @param receipt whether its end has {@link Evidence} for a receipt
 */
public record RequestOptions(boolean receipt) {
    /** Nothing of it. */
    public static final RequestOptions NONE = new RequestOptions(false);
}
