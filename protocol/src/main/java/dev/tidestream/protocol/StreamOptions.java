package dev.tidestream.protocol;

/**
 * What a client may ask of a stream beside its tokens.
 *
 * @param resumable whether the stream outlives its connection for a while, see {@link ClientMessage.Resume}
 * @param receipt whether {@code finished} has a receipt
 * @param urgency before whom it comes, and when it has to be done; one that is resumable has no deadline
 */
public record StreamOptions(boolean resumable, boolean receipt, Urgency urgency) {
    /** Nothing of it. */
    public static final StreamOptions NONE = new StreamOptions(false, false, Urgency.DEFAULT);

    public StreamOptions withResumable(boolean wanted) {
        return new StreamOptions(wanted, receipt, urgency);
    }

    public StreamOptions withReceipt(boolean wanted) {
        return new StreamOptions(resumable, wanted, urgency);
    }

    public StreamOptions withUrgency(Urgency other) {
        return new StreamOptions(resumable, receipt, other);
    }
}
