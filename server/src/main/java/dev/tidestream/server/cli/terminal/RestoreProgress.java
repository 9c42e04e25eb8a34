package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.app.ServerLife;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.logging.EventLine;

/**
 * How far a start has come with the versions of the data directory: a bar on the terminal, and lines in the log for as long as it takes.
 * Used by the thread that loads.
 */
final class RestoreProgress implements StartListener.Restoring {
    private static final long SAY_AGAIN_NS = Duration.ofSeconds(2).toNanos();

    private final PrintWriter err;
    private final LongSupplier nanoTime;
    private String stage = "";
    private @Nullable Progress bar;
    private long seen;
    private long saidNs;

    RestoreProgress(PrintWriter err, LongSupplier nanoTime) {
        this.err = err;
        this.nanoTime = nanoTime;
        this.saidNs = nanoTime.getAsLong();
    }

    @Override
    public void report(String now, long done, long of) {
        Progress current = bar;
        if (current == null || !stage.equals(now)) {
            close();
            current = Progress.onTerminal(err, label(now), Math.max(1, of));
            bar = current;
            stage = now;
            seen = 0;
        }
        current.advance(done - seen);
        seen = done;
        long nowNs = nanoTime.getAsLong();
        if (nowNs - saidNs >= SAY_AGAIN_NS) {
            saidNs = nowNs;
            current.wipe();
            ServerLife.say(EventLine.of("restoring").with("stage", now).with("done", done).with("of", of));
        }
    }

    private static String label(String stage) {
        return switch (stage) {
            case "checking" -> "checking updates";
            case "reading" -> "reading the checkpoint";
            case "building" -> "applying updates";
            default -> stage;
        };
    }

    /** Wipes the bar away. */
    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
