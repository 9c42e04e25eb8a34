package dev.tidestream.protocol;

/**
 * What a client may ask of a stream beside its tokens.
 *
 * @param resumable whether the stream outlives its connection for a while, see {@link ClientMessage.Resume}
 * @param receipt whether {@code finished} has a receipt
 */
public record StreamOptions(boolean resumable, boolean receipt) {
    /** Nothing of it. */
    public static final StreamOptions NONE = new StreamOptions(false, false);

    public StreamOptions withResumable(boolean wanted) {
        return new StreamOptions(wanted, receipt);
    }

    public StreamOptions withReceipt(boolean wanted) {
        return new StreamOptions(resumable, wanted);
    }
}
