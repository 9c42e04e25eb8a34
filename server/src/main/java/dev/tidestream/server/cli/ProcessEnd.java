package dev.tidestream.server.cli;

import java.util.concurrent.CompletableFuture;

/**
 * The end of the process. A JVM that gets SIGTERM or SIGINT ends with 128 and the number of the signal, whatever its shutdown
 * hooks did; a server that was told to stop, and did, has succeeded. So the hook that stops it waits until {@code main} has its
 * code and has written everything, and ends the process with that.
 */
final class ProcessEnd {
    private static final CompletableFuture<Integer> CODE = new CompletableFuture<>();
    private static volatile boolean expected;

    private ProcessEnd() {}

    /** There is a {@code main} that will call {@link #exit}. */
    static void expect() {
        expected = true;
    }

    /** Whether there is one. */
    static boolean isExpected() {
        return expected;
    }

    /** Ends the process with this code; everything is written. Does not return. */
    static void exit(int code) {
        CODE.complete(code);
        System.exit(code); // waits for the hook, if that is at work
    }

    /** The last thing that a shutdown hook does: waits for {@link #exit}, and ends the process with its code. */
    static void haltWithItsCode() {
        if (expected) {
            Runtime.getRuntime().halt(CODE.join());
        }
    }
}
