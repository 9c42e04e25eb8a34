package dev.tidestream.server.admin.channel;

import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.server.admin.AdminDesk;

/** Passes on the first report of each stage, then at most one per interval, and none after the end. Any thread. */
final class ThrottledProgress implements AdminDesk.ProgressSink {
    private final String ref;
    private final long intervalNs;
    private final LongSupplier nanoTime;
    private final Consumer<AdminReply.Progress> out;
    private @Nullable String lastStage;
    private long lastNs;
    private boolean ended;

    ThrottledProgress(String ref, long intervalNs, LongSupplier nanoTime, Consumer<AdminReply.Progress> out) {
        this.ref = ref;
        this.intervalNs = intervalNs;
        this.nanoTime = nanoTime;
        this.out = out;
    }

    @Override
    public synchronized void report(String stage, long done, long of) {
        long nowNs = nanoTime.getAsLong();
        if (ended || (stage.equals(lastStage) && nowNs - lastNs < intervalNs)) {
            return;
        }
        lastStage = stage;
        lastNs = nowNs;
        out.accept(new AdminReply.Progress(ref, stage, done, of));
    }

    /** The answer comes next, and nothing after it. */
    synchronized void end() {
        ended = true;
    }
}
