package dev.tidestream.server.weights.trainer;

import java.util.concurrent.CompletableFuture;

/** The streams of a server, as far as a trainer may ask about them. Any thread. */
public interface RunningStreams {
    /** The number of the newest; those that are asked for later have higher ones. */
    long newest();

    /** How many of those up to a number have not ended. What depends on it must not keep the thread that completes it. */
    CompletableFuture<Integer> left(long newest);

    /** Ends those up to a number as if their clients had cancelled them. */
    void stop(long newest);
}
