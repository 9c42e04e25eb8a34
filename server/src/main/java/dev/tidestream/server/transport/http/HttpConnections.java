package dev.tidestream.server.transport.http;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.concurrent.TimeUnit;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
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
 * Of HTTP/2 a connection is one of these, too, with many requests at once. Who is being answered is bounded by what answers:
 * an endpoint's capacity, its keep-alive and its demand. Whoever takes nothing of an answer that waits for it, for as long as
 * {@link AnswerLimits#stallTimeout} says, is closed, whether the answer has ended or not; whoever grants an answer over HTTP/2 no window
 * for as long loses that answer alone.
 */
public final class HttpConnections {
    private static final String DECODER = "httpDecoder"; // as Vert.x calls it
    private static final int REQUEST_TIMEOUT = 408;
    private static final int UNAVAILABLE = 503;
    private static final long NO_ERROR = 0; // of HTTP/2
    private static final long ENHANCE_YOUR_CALM = 0xB;

    private HttpLimits limits;
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

    /** Takes other bounds; connections that are there meet them at their next request. */
    public void limits(HttpLimits newer) {
        limits = newer;
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
        Channel channel = ((ConnectionBase) connection).channel();
        Abort.shortenCloseNotify(channel);
        Entry entry = channel.pipeline().get(DECODER) == null ? new Http2Entry(connection, channel)
                : new Http1Entry(connection, channel);
        entries.put(connection, entry);
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
        entry.output.follow(request.response(), limits.answers().stallTimeout());
        return entry.follow(request);
    }

    /** The connection has become a WebSocket, or is closed. */
    public void left(HttpConnection connection) {
        Entry entry = entries.remove(connection);
        if (entry != null) {
            entry.end();
        }
    }

    /** Lets connections of HTTP/2 end when they have answered what was asked: they take no more. */
    @SuppressWarnings("FutureReturnValueIgnored") // who stays longer is closed with the server
    public void drain(Duration grace) {
        for (Entry entry : List.copyOf(entries.values())) {
            if (entry instanceof Http2Entry) {
                entry.connection.shutdown(grace.toMillis(), TimeUnit.MILLISECONDS);
            }
        }
    }

    /** Closes all of them, without a word. */
    public void abortAll() {
        List.copyOf(entries.values()).forEach(Entry::abort);
    }

    private void count() {
        pendingCount = pending.size();
        idleCount = idle.size();
    }

    /** One connection. */
    private abstract class Entry {
        final HttpConnection connection;
        final Channel channel;
        private final InetAddress address;
        private final OutputWatch output;
        private EventLoopClock.@Nullable Timer timer;

        Entry(HttpConnection connection, Channel channel) {
            this.connection = connection;
            this.channel = channel;
            this.output = new OutputWatch(channel, clock, this::unread, () -> refusals.count(Refusal.UNREAD_ANSWERS));
            this.address = Neighbourhood.of(channel);
        }

        /** The head of a request has come. False if that was one too many. */
        abstract boolean follow(HttpServerRequest request);

        /** Ends it, with an answer where one can be given. */
        abstract void giveUp(Refusal refusal, int status, String code, String message);

        /** What takes longest to come has taken too long. */
        void timeOut() {
            giveUp(Refusal.REQUEST_TIMEOUT, REQUEST_TIMEOUT, "request_timeout", slow());
        }

        final String slow() {
            return "the request took too long: limit_ms=" + limits.requestTimeout().toMillis();
        }

        final void becomePending() {
            becomePending(limits.requestTimeout());
        }

        /** Stays where it is among the others if it is already. */
        final void becomePending(Duration left) {
            if (pending.contains(this) && timer != null) {
                timer.cancel();
                timer = clock.after(left.isPositive() ? left : Duration.ofNanos(1), this::timeOut);
                return;
            }
            leave();
            SequencedSet<Entry> neighbours = pendingByAddress.computeIfAbsent(address, a -> new LinkedHashSet<>());
            pending.add(this);
            neighbours.add(this);
            timer = clock.after(left, this::timeOut);
            if (neighbours.size() > limits.maxPendingPerAddress()) {
                neighbours.getFirst().makeWay("unfinished requests of this address", limits.maxPendingPerAddress());
            } else if (pending.size() > limits.maxPending()) {
                pending.getFirst().makeWay("unfinished requests", limits.maxPending());
            }
            count();
        }

        final void becomeIdle() {
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
                    awaitNext();
                }
            });
        }

        final void unread() {
            refusals.count(Refusal.UNREAD_ANSWERS);
            abort();
        }

        /** It is none of these connections any more. */
        final void end() {
            leave();
            output.end();
        }

        /** Is neither any more. */
        final void leave() {
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

        final void abort() {
            left(connection);
            Abort.connection(connection);
        }
    }

    /** One of HTTP/1: a request at a time. */
    private final class Http1Entry extends Entry {
        private @Nullable HttpServerRequest current; // whose head has come, and which is not yet whole and answered
        private boolean whole;
        private boolean answered;
        private boolean more; // bytes behind the current one

        Http1Entry(HttpConnection connection, Channel channel) {
            super(connection, channel);
            channel.pipeline().replace(DECODER, DECODER, new StrictRequestDecoder(options, this::onBytes));
        }

        private void onBytes() {
            more = whole;
            if (idle.contains(this)) {
                becomePending();
            }
        }

        /** From now on this is the request that is coming, or is answered. */
        @Override
        boolean follow(HttpServerRequest request) {
            if (!channel.isWritable()) {
                unread();
                return false;
            }
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
            return true;
        }

        private void progressed() {
            if (!whole) {
                return; // the rest of it is waited for, whatever it was answered
            }
            if (!answered) {
                leave();
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

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // the connection ends either way
        void giveUp(Refusal refusal, int status, String code, String message) {
            refusals.count(refusal);
            if (current == null || !current.response().headWritten()) {
                String answer = JsonAnswer.last(HttpError.of(status, code, message));
                // in front of the codec, but behind TLS
                channel.pipeline().context(DECODER).writeAndFlush(Unpooled.copiedBuffer(answer, StandardCharsets.US_ASCII));
            }
            abort();
        }
    }

    /**
     * One of HTTP/2: many requests at once. It is pending until the first, and while any is not whole; each of them has its
     * time, and one that takes too long ends alone.
     */
    private final class Http2Entry extends Entry {
        private final SequencedMap<HttpServerRequest, Long> coming = new LinkedHashMap<>(); // oldest first; when its head came
        private int unanswered;

        Http2Entry(HttpConnection connection, Channel channel) {
            super(connection, channel);
        }

        @Override
        boolean follow(HttpServerRequest request) {
            coming.put(request, clock.nanoTime());
            unanswered++;
            request.end().onComplete(wholeOrReset -> {
                coming.remove(request);
                look();
            });
            request.response().endHandler(answeredOrReset -> {
                unanswered--;
                look();
            });
            look();
            return true;
        }

        private void look() {
            Map.Entry<HttpServerRequest, Long> oldest = coming.firstEntry();
            if (!entries.containsKey(connection)) {
                return; // it has ended
            }
            if (oldest != null) {
                becomePending(limits.requestTimeout().minusNanos(clock.nanoTime() - oldest.getValue()));
            } else if (unanswered > 0) {
                leave();
            } else {
                becomeIdle();
            }
        }

        @Override
        void timeOut() {
            Map.Entry<HttpServerRequest, Long> oldest = coming.pollFirstEntry();
            if (oldest == null) { // not even one has come
                super.timeOut();
                return;
            }
            refusals.count(Refusal.REQUEST_TIMEOUT);
            HttpServerRequest request = oldest.getKey();
            if (request.response().headWritten()) {
                end(request);
            } else {
                JsonAnswer.refuse(request, REQUEST_TIMEOUT, "request_timeout", slow()).onComplete(written -> end(request));
            }
            look();
        }

        @SuppressWarnings("FutureReturnValueIgnored") // it ends either way
        private void end(HttpServerRequest request) {
            request.response().reset(NO_ERROR); // what is left of the request is not wanted (RFC 9113, 8.1)
        }

        @Override
        void giveUp(Refusal refusal, int status, String code, String message) {
            refusals.count(refusal);
            connection.goAway(status == REQUEST_TIMEOUT ? NO_ERROR : ENHANCE_YOUR_CALM);
            abort();
        }
    }
}
