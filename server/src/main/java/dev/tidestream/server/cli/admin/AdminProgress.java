package dev.tidestream.server.cli.admin;

import java.io.PrintWriter;
import java.util.function.BiFunction;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.server.cli.terminal.Progress;

/** One bar after the other, one per stage of a request. Any thread may report. */
public final class AdminProgress implements Consumer<AdminReply.Progress>, AutoCloseable {
    private static final int LABEL_CHARS = 30;
    /** How the server sees the bytes of {@link AdminClient#SENDING}, which have their bar already. */
    private static final String RECEIVING = "receiving";

    private final BiFunction<String, Long, Progress> bars;
    private @Nullable Progress bar;
    private String stage = "";
    private long of;
    private long done;

    /** @param bars makes a bar from its label and its total */
    AdminProgress(BiFunction<String, Long, Progress> bars) {
        this.bars = bars;
    }

    /** On stderr, if that is a terminal. */
    public static AdminProgress onTerminal(PrintWriter err) {
        return new AdminProgress((label, total) -> Progress.onTerminal(err, label, total));
    }

    @Override
    public void accept(AdminReply.Progress progress) {
        if (!progress.stage().equals(RECEIVING)) {
            report(progress.stage(), progress.done(), progress.of());
        }
    }

    /** So much of a stage is done; a total of 0 shows nothing. */
    public synchronized void report(String newStage, long newDone, long newOf) {
        if (newOf < 1) {
            return;
        }
        Progress now = bar;
        if (now == null || !newStage.equals(stage) || newOf != of) {
            close();
            now = bars.apply(Printable.value(newStage, LABEL_CHARS), newOf);
            bar = now;
            stage = newStage;
            of = newOf;
            done = 0;
        }
        now.advance(Math.max(0, newDone - done)); // also 0: time passes
        done = Math.max(done, newDone);
    }

    @Override
    public synchronized void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
