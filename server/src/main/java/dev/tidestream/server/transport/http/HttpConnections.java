package dev.tidestream.server.transport.http;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedSet;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.common.EventLoopClock;
import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.common.Refusals;

/**
 * The connections that are plain HTTP yet. Who opens many and asks for nothing, or asks a byte at a time, harms nobody: a request
 * has a time to come in, and unfinished ones are bounded, in all and per remote address. A new connection is always taken; where
 * there are too many, the oldest unfinished request gives its place. A health check comes in one packet, so nothing is
 * older than an attack's connections and everything it wants is done before its turn would come. Connections that are kept alive
 * after an answer have a bound of their own, so that an attack does not take theirs. Event loop.
 *
 * <pre>
 * accepted ──► PENDING ── whole request ──► ANSWERED, for as long as that takes ──► IDLE ── first byte of another ──► PENDING
 *                └── 101: a WebSocket, and no more our concern
 * </pre>
 *
 * Who is being answered is bounded by what answers: an endpoint's capacity, its keep-alive and its demand. Whoever takes nothing of
 * an answer that waits for it, for as long as {@link AnswerLimits#stallTimeout} says, is closed, whether the answer has ended or not.
 */
public final class HttpConnections {
    private static final String DECODER = "httpDecoder"; // as Vert.x calls it
    private static final int REQUEST_TIMEOUT = 408;
    private static final int UNAVAILABLE = 503;
    private static final int IPV4_BYTES = 4;
    private static final int LOOKS_PER_TIMEOUT = 8;

    private final HttpLimits limits;
    private final HttpServerOptions options;
    private final EventLoopClock clock;
    private final Refusals refusals;
    private final IdentityHashMap<HttpConnection, Entry> entries = new IdentityHashMap<>();
    private final SequencedSet<Entry> pending = new LinkedHashSet<>(); // oldest first
    private final Map<InetAddress, SequencedSet<Entry>> pendingByAddress = new HashMap<>();
    private final SequencedSet<Entry> idle = new LinkedHashSet<>(); // oldest first
    private volatile int pendingCount;
    private volatile int idleCount;

    /** @param options of the server, for the decoder of each connection */
    public HttpConnections(HttpLimits limits, HttpServerOptions options, EventLoopClock clock, Refusals refusals) {
        this.limits = limits;
        this.options = options;
        this.clock = clock;
        this.refusals = refusals;
    }

    /** Connections whose request has not come to its end. Any thread. */
    public int pending() {
        return pendingCount;
    }

    /** Connections that are kept alive without a request. Any thread. */
    public int idle() {
        return idleCount;
    }

    /** A connection was accepted, and nothing was read of it. */
    public void opened(HttpConnection connection) {
        Entry entry = new Entry(connection);
        entries.put(connection, entry);
        entry.channel.pipeline().replace(DECODER, DECODER, new StrictRequestDecoder(options, entry::onBytes));
        connection.closeHandler(v -> left(connection)); // not called once it has become a WebSocket
        entry.becomePending();
    }

    /**
     * The head of a request has come; follows it until it is whole and answered.
     *
     * @return false if its connection was closed because the client does not read the answers to those before
     */
    public boolean requested(HttpServerRequest request) {
        Entry entry = entries.get(request.connection());
        if (entry == null) {
            return false; // given up in this very moment
        }
        if (!entry.channel.isWritable()) {
            refusals.count(Refusal.UNREAD_ANSWERS);
            entry.abort();
            return false;
        }
        entry.follow(request);
        return true;
    }

    /** The connection has become a WebSocket, or is closed. */
    public void left(HttpConnection connection) {
        Entry entry = entries.remove(connection);
        if (entry != null) {
            entry.leave();
        }
    }

    /** Closes a connection, whatever it has not written yet: who does not read would keep it open. */
    @SuppressWarnings("FutureReturnValueIgnored") // it is closed, or was
    public static void abort(HttpConnection connection) {
        ((ConnectionBase) connection).channel().pipeline().firstContext().close(); // the last one would wait until all is written
    }

    /** Closes all of them, without a word. */
    public void abortAll() {
        List.copyOf(entries.values()).forEach(Entry::abort);
    }

    private void count() {
        pendingCount = pending.size();
        idleCount = idle.size();
    }

    /** Whose neighbours count as one: an address, of IPv6 the network of 64 bits that one customer has. */
    private static InetAddress neighbourhood(Channel channel) {
        if (!(channel.remoteAddress() instanceof InetSocketAddress remote)) {
            return InetAddress.getLoopbackAddress(); // a socket of this machine
        }
        byte[] bytes = remote.getAddress().getAddress();
        if (bytes.length == IPV4_BYTES) {
            return remote.getAddress();
        }
        Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("it was an address: " + remote, e);
        }
    }

    /** One connection. */
    private final class Entry {
        private final HttpConnection connection;
        private final Channel channel;
        private final InetAddress address;
        private final OutputWatch output;
        private @Nullable HttpServerRequest current; // whose head has come, and which is not yet whole and answered
        private boolean whole;
        private boolean answered;
        private boolean more; // bytes behind the current one
        private EventLoopClock.@Nullable Timer timer;

        Entry(HttpConnection connection) {
            this.connection = connection;
            this.channel = ((ConnectionBase) connection).channel();
            this.address = neighbourhood(channel);
            this.output = new OutputWatch(channel);
        }

        void onBytes() {
            more = whole;
            if (idle.contains(this)) {
                becomePending();
            }
        }

        /** From now on this is the request that is coming, or is answered. */
        void follow(HttpServerRequest request) {
            if (!pending.contains(this)) {
                becomePending(); // it came together with the one before
            }
            current = request;
            whole = false;
            answered = false;
            more = false;
            request.end().onSuccess(v -> {
                if (current == request) {
                    whole = true;
                    progressed();
                }
            });
            request.response().endHandler(v -> {
                if (current == request) {
                    answered = true;
                    progressed();
                }
            });
        }

        private void progressed() {
            if (!whole) {
                return; // the rest of it is waited for, whatever it was answered
            }
            if (!answered) {
                leave();
                watchOutput();
                return;
            }
            current = null;
            whole = false;
            if (more) {
                becomePending();
            } else {
                becomeIdle();
            }
        }

        void becomePending() {
            leave();
            SequencedSet<Entry> neighbours = pendingByAddress.computeIfAbsent(address, a -> new LinkedHashSet<>());
            pending.add(this);
            neighbours.add(this);
            timer = clock.after(limits.requestTimeout(), () -> giveUp(
                    Refusal.REQUEST_TIMEOUT, REQUEST_TIMEOUT, "request_timeout",
                    "the request took too long: limit_ms=" + limits.requestTimeout().toMillis()));
            if (neighbours.size() > limits.maxPendingPerAddress()) {
                neighbours.getFirst().makeWay("unfinished requests of this address", limits.maxPendingPerAddress());
            } else if (pending.size() > limits.maxPending()) {
                pending.getFirst().makeWay("unfinished requests", limits.maxPending());
            }
            count();
        }

        void becomeIdle() {
            leave();
            idle.add(this);
            awaitNext();
            if (idle.size() > limits.maxIdle()) {
                refusals.count(Refusal.IDLE_FULL);
                idle.getFirst().abort();
            }
            count();
        }

        /** It may be kept alive for so long; longer if the client is still at the answer, and reads. */
        private void awaitNext() {
            timer = clock.after(limits.idleTimeout(), () -> {
                if (output.isFlushed()) {
                    abort();
                } else {
                    watchOutput();
                }
            });
        }

        private void watchOutput() {
            timer = clock.after(limits.answers().stallTimeout().dividedBy(LOOKS_PER_TIMEOUT), this::look);
        }

        private void look() {
            if (output.stalledNs(clock.nanoTime()) >= limits.answers().stallTimeout().toNanos()) {
                refusals.count(Refusal.UNREAD_ANSWERS);
                abort();
            } else if (idle.contains(this) && output.isFlushed()) {
                awaitNext();
            } else {
                watchOutput();
            }
        }

        /** Is neither any more. */
        void leave() {
            idle.remove(this);
            pending.remove(this);
            SequencedSet<Entry> neighbours = pendingByAddress.get(address);
            if (neighbours != null && neighbours.remove(this) && neighbours.isEmpty()) {
                pendingByAddress.remove(address);
            }
            if (timer != null) {
                timer.cancel();
                timer = null;
            }
            count();
        }

        private void makeWay(String of, int limit) {
            giveUp(Refusal.PENDING_FULL, UNAVAILABLE, "overloaded", "too many " + of + ", this was the oldest: limit=" + limit);
        }

        @SuppressWarnings("FutureReturnValueIgnored") // the connection ends either way
        private void giveUp(Refusal refusal, int status, String code, String message) {
            refusals.count(refusal);
            if (current == null || !current.response().headWritten()) {
                String body = JsonAnswer.text(HttpError.of(status, code, message).body());
                String answer = String.format(
                        Locale.ROOT,
                        "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%sConnection: close\r\n\r\n%s",
                        status, HttpResponseStatus.valueOf(status).reasonPhrase(), body.length(), retry(status), body);
                channel.pipeline().firstContext().writeAndFlush(Unpooled.copiedBuffer(answer, StandardCharsets.US_ASCII));
            }
            abort();
        }

        private static String retry(int status) {
            return status != UNAVAILABLE ? ""
                    : "Retry-After: %1$s\r\n%2$s: %1$s000\r\n".formatted(JsonAnswer.RETRY_AFTER_S, JsonAnswer.RETRY_AFTER_MS);
        }

        void abort() {
            left(connection);
            HttpConnections.abort(connection);
        }
    }
}
