package dev.tidestream.loadtest.wire;

import java.util.function.Supplier;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.protocol.ServerMessage;

/** A connection that carries streams. All methods are called on, and the listener is called by, the I/O thread. */
public interface Link {

    /** Hears what comes. */
    interface Listener {
        /** Streams may be started. */
        void opened(Link link);

        /** A frame; {@code nowNs} was read when it arrived, before it was decoded. */
        void message(ServerMessage message, long nowNs);

        /**
         * A stream was refused or broke off, on a wire that is not ours.
         *
         * @param code the server's word for it, or what stands for it: {@code http_503}, {@code connection_lost}
         * @param why for people
         */
        void failed(String id, String code, String why, long nowNs);

        /**
         * Something that the wire promises was looked at.
         *
         * @param otherwise what came instead
         */
        void checked(String id, Promise promise, boolean kept, Supplier<String> otherwise);

        /** What is no frame of the protocol. */
        void garbage(String what, long nowNs);

        /** The connection is gone, or never came; the last call. */
        void closed(String why, long nowNs);
    }

    void start(StreamRequest request);

    /**
     * Goes on with a stream of a connection that is gone.
     *
     * @param id its name on this connection
     * @param name what its {@code accepted} said
     * @param afterSeq the last {@code seq} that came; -1: none
     */
    void resume(String id, String name, int afterSeq);

    void credit(String id, int tokens);

    void cancel(String id);

    /** Asks for news of weights. */
    void watch();

    /** Reads no more from the socket until {@code false}. */
    void pauseReading(boolean pause);

    /** Breaks the connection off, without a word. */
    void vanish();

    /** Says goodbye. */
    void close();
}
