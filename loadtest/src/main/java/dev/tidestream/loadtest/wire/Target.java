package dev.tidestream.loadtest.wire;

/** A server that makes tokens. */
public interface Target {
    /** For people. */
    String name();

    /** Begins to connect; the listener hears the rest. Called on the I/O thread. */
    void connect(Link.Listener listener);

    /** Whether the server counts as many tokens as it sends frames; others may put several into one. */
    boolean countsFrames();
}
