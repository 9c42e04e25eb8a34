package dev.tidestream.model.tied;

/** Told how long the head took. Called by the thread that computes, which must not wait. */
@FunctionalInterface
public interface HeadObserver {

    /**
     * Logits were computed.
     *
     * @param rows hidden states
     * @param weightBytesRead bytes of weights that were streamed through, for all rows together
     * @param nanos it took
     */
    void logitsComputed(HeadMode mode, int rows, long weightBytesRead, long nanos);

    /** Tells nobody. */
    HeadObserver NONE = (mode, rows, weightBytesRead, nanos) -> {};
}
