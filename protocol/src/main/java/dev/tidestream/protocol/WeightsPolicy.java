package dev.tidestream.protocol;

/** What a stream does when new weights are published while it runs; on the wire {@code weights} and {@code kv}. */
public enum WeightsPolicy {
    /** Finish on the version it was accepted with. */
    PIN,
    /** Move to the newest version at the next step boundary, and keep the KV cache that the older one has made. */
    FOLLOW,
    /** Move likewise, and compute the KV cache of all tokens so far anew. */
    FOLLOW_AND_RECOMPUTE;

    /** Whether the stream moves at all. */
    public boolean follows() {
        return this != PIN;
    }
}
