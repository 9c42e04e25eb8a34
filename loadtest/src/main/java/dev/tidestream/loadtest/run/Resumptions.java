package dev.tidestream.loadtest.run;

import java.util.Map;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Figures;

/** What became of streams whose connection a fault of ours broke off, to go on on another one. On the I/O thread. */
final class Resumptions {
    private final Map<String, Long> refused = new TreeMap<>();
    private long dropped;
    private long resumed;
    private final TokenTally tokens = new TokenTally();

    /** Its connection is gone. */
    void dropped() {
        dropped++;
    }

    /** The server has accepted that it goes on. */
    void resumed() {
        resumed++;
    }

    /** The server does not let it go on, or not to its end. */
    void refused(String code) {
        refused.merge(code, 1L, Long::sum);
    }

    /** Of streams that went on. */
    TokenTally tokens() {
        return tokens;
    }

    /** Null if no connection was broken off. */
    Figures.@Nullable Resumes figures() {
        return dropped == 0 ? null : new Figures.Resumes(dropped, resumed, refused, tokens.lost(), tokens.repeated());
    }
}
