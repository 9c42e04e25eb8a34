package dev.tidestream.model.tied;

/** Is told of every computation of logits, on the thread that made it; must neither block nor allocate nor throw. */
@FunctionalInterface
public interface HeadObserver {
    /** Looks away. */
    HeadObserver NONE = (_, _, _, _) -> {};

    /**
     * Logits have been computed.
     *
     * @param rows hidden states in this call, at least 1
     * @param weightBytesRead bytes of the head's matrix that the call had to read, each counted once
     * @param nanos how long it took
     */
    void logitsComputed(HeadMode mode, int rows, long weightBytesRead, long nanos);
}
