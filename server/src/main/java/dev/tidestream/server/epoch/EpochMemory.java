package dev.tidestream.server.epoch;

/** The memory of an epoch. Any thread. */
@FunctionalInterface
public interface EpochMemory {

    /** Gives back what no other epoch uses; called once, when nobody computes with the epoch any more. */
    void free();

    /** Bytes of weights and derived layouts that the epoch uses, shared ones included. */
    default long bytes() {
        return 0;
    }

    /** Those of {@link #bytes} that no other epoch uses now. */
    default long ownBytes() {
        return 0;
    }
}
