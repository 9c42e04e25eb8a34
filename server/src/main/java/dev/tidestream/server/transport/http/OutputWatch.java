package dev.tidestream.server.transport.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/** Whether a client takes what was written to it; looked at every while. Event loop. */
final class OutputWatch {
    private final Channel channel;
    private long waitingBytes;
    private long goneOfFirst;
    private long sinceNs;

    OutputWatch(Channel channel) {
        this.channel = channel;
    }

    /** Whether the system has taken all of it. */
    boolean isFlushed() {
        ChannelOutboundBuffer output = output();
        return output == null || output.totalPendingWriteBytes() == 0;
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
