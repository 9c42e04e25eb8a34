package dev.tidestream.server.transport.http;

import java.time.Duration;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.common.EventLoopClock;

/** Whether a client takes what was written to it; looks every while. Event loop. */
final class OutputWatch {
    private static final int LOOKS_PER_TIMEOUT = 8;

    private final Channel channel;
    private final EventLoopClock clock;
    private final Runnable stalled;
    private final @Nullable WindowWatch windows; // of HTTP/2
    private EventLoopClock.@Nullable Timer next;
    private Duration limit = Duration.ZERO;
    private long waitingBytes;
    private long goneOfFirst;
    private long sinceNs;

    /**
     * Of a connection.
     *
     * @param stalled called, once, when the client has taken nothing for too long
     * @param stalledAnswer called for every answer of HTTP/2 that was reset since the client has let it send nothing for too long
     */
    OutputWatch(Channel channel, EventLoopClock clock, Runnable stalled, Runnable stalledAnswer) {
        this.channel = channel;
        this.clock = clock;
        this.stalled = stalled;
        this.windows = WindowWatch.of(channel.pipeline(), stalledAnswer);
    }

    /** An answer will be written; what waits is looked at from now on, and may do so for this long, whatever was said before. */
    void follow(HttpServerResponse response, Duration timeout) {
        if (windows != null) {
            windows.follow(response);
        }
        watch(timeout);
    }

    /** Looks from now on, whether anything is written or not; if it does already, it takes the new time at its next look. */
    void watch(Duration timeout) {
        limit = timeout;
        if (next == null) {
            next = clock.after(timeout.dividedBy(LOOKS_PER_TIMEOUT), this::look);
        }
    }

    private void look() {
        next = null;
        Duration timeout = limit;
        if (stalledNs(clock.nanoTime()) >= timeout.toNanos()) {
            stalled.run();
        } else {
            if (windows != null) {
                windows.look(clock.nanoTime(), timeout.toNanos());
            }
            watch(timeout);
        }
    }

    /** Looks no more. */
    void end() {
        if (next != null) {
            next.cancel();
            next = null;
        }
    }

    /** Whether the system has taken all of it, and nothing waits for a window of the client. */
    boolean isFlushed() {
        ChannelOutboundBuffer output = output();
        return output == null || (output.totalPendingWriteBytes() == 0 && (windows == null || windows.isWritten()));
    }

    /** How long nothing of what waits has been taken, as far as these looks can tell; 0 at the first look, and if nothing waits. */
    long stalledNs(long nowNs) {
        ChannelOutboundBuffer output = output();
        long bytes = output == null ? 0 : output.totalPendingWriteBytes();
        long gone = output == null ? 0 : output.currentProgress();
        if (bytes == 0 || bytes != waitingBytes || gone != goneOfFirst) {
            waitingBytes = bytes;
            goneOfFirst = gone;
            sinceNs = nowNs;
        }
        return nowNs - sinceNs;
    }

    private @Nullable ChannelOutboundBuffer output() {
        return channel.unsafe().outboundBuffer(); // null once it is closed
    }
}
