package dev.tidestream.server.transport.http;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.Supplier;

import io.netty.channel.Channel;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.common.Refusals;

/**
 * TLS handshakes that are under way, bounded as unfinished requests are, beside these: a new one is always taken, and where there are
 * too many, in all or of one remote address, the oldest gives its place. What is left of a handshake when its time is up is TLS's own
 * to end. Event loop.
 */
public final class Handshakes {
    private final Supplier<HttpLimits> limits;
    private final Refusals refusals;
    private final SequencedMap<Channel, InetAddress> pending = new LinkedHashMap<>(); // oldest first
    private final Map<InetAddress, SequencedSet<Channel>> byAddress = new HashMap<>(); // oldest first

    /** @param limits of unfinished requests, asked at each handshake */
    public Handshakes(Supplier<HttpLimits> limits, Refusals refusals) {
        this.limits = limits;
        this.refusals = refusals;
    }

    /** One begins. */
    public void begun(Channel channel) {
        InetAddress address = Neighbourhood.of(channel);
        SequencedSet<Channel> neighbours = byAddress.computeIfAbsent(address, a -> new LinkedHashSet<>());
        pending.put(channel, address);
        neighbours.add(channel);
        if (neighbours.size() > limits.get().maxPendingPerAddress()) {
            giveUp(neighbours.getFirst());
        } else if (pending.size() > limits.get().maxPending()) {
            giveUp(pending.firstEntry().getKey());
        }
    }

    /** One has come to its end, whatever that was; again does nothing. */
    public void ended(Channel channel) {
        InetAddress address = pending.remove(channel);
        SequencedSet<Channel> neighbours = address == null ? null : byAddress.get(address);
        if (neighbours != null && neighbours.remove(channel) && neighbours.isEmpty()) {
            byAddress.remove(address);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it is closed, or was
    private void giveUp(Channel oldest) {
        ended(oldest);
        refusals.count(Refusal.PENDING_FULL);
        oldest.pipeline().firstContext().close(); // behind TLS, which would say goodbye first
    }
}
