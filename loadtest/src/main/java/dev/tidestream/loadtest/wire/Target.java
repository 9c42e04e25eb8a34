package dev.tidestream.loadtest.wire;

/** A server that makes tokens. */
public interface Target {
    /** For people. */
    String name();

    /** Begins to connect; the listener hears the rest. Called on the I/O thread. */
    void connect(Link.Listener listener);

    /**
     * Whether the frames are the server's own, of tidestream.v1: one for each token, numbered, with the version of the
     * weights. Otherwise they were made from the events of another wire, and what that wire promises was looked at where
     * they were made.
     */
    boolean framesAreItsOwn();

    /** Most streams that share a connection. */
    int streamsPerConnection();
}
