package dev.tidestream.protocol;

/** What a stream does when new weights are published while it runs; the wire form is the lower-case name. */
public enum WeightsPolicy {
    /** Finish on the version it was accepted with. */
    PIN,
    /** Move to the newest version at the next step boundary. */
    FOLLOW
}
