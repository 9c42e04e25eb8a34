package dev.tidestream.loadtest.wire;

import java.net.URI;
import java.time.Duration;
import java.util.function.LongSupplier;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.WebsocketClientSpec;
import reactor.netty.http.websocket.WebsocketInbound;

import dev.tidestream.console.Reasons;

/**
 * A WebSocket of text messages over Reactor Netty, on the I/O thread. Outgoing frames go to the channel itself: one thread, one
 * writer, no publisher in between.
 */
public final class Socket {
    /** Largest frame, and largest message of several. A response at its end tells its whole text, and log-probabilities. */
    public static final int MAX_FRAME_BYTES = 16 << 20;
    private static final int NORMAL_CLOSURE = 1000;

    /** Hears what comes, on the I/O thread. */
    public interface Listener {
        void opened(Socket socket);

        void text(String text, long nowNs);

        /** The last call. */
        void closed(String why, long nowNs);
    }

    private final Listener listener;
    private final LongSupplier nanoTime;
    private @Nullable Channel channel;
    private @Nullable Disposable handshake;
    private boolean closed;
    private String why = "the server closed the connection without a close frame";

    private Socket(Listener listener, LongSupplier nanoTime) {
        this.listener = listener;
        this.nanoTime = nanoTime;
    }

    /**
     * Begins to connect.
     *
     * @param http of {@code io}
     * @param subprotocol null: none is offered
     */
    public static void connect(Io io, HttpClient http, URI url, @Nullable String subprotocol, LongSupplier nanoTime, Listener listener) {
        Socket socket = new Socket(listener, nanoTime);
        WebsocketClientSpec.Builder spec = WebsocketClientSpec.builder().maxFramePayloadLength(MAX_FRAME_BYTES);
        if (subprotocol != null) {
            spec.protocols(subprotocol);
        }
        socket.handshake = http.websocket(spec.build())
                .uri(url)
                .handle((in, _) -> socket.receive(in))
                .subscribe(_ -> { }, error -> socket.end("connection lost: " + Reasons.of(error)), () -> socket.end(null));
        io.after(io.connectTimeout().toNanos(), () -> socket.giveUp(io.connectTimeout()));
    }

    /** A server may take a connection and never answer. */
    private void giveUp(Duration after) {
        if (channel == null && !closed) {
            end("no WebSocket within %d ms (--connect-timeout)".formatted(after.toMillis()));
            if (handshake != null) {
                handshake.dispose();
            }
        }
    }

    private Publisher<Void> receive(WebsocketInbound in) {
        if (closed) {
            return Mono.empty(); // it came too late
        }
        in.withConnection(connection -> channel = connection.channel());
        in.receiveCloseStatus().subscribe(
                status -> why = "closed by the server: code=" + status.code() + ", reason=" + status.reasonText(),
                error -> why = "connection lost: " + Reasons.of(error));
        listener.opened(this);
        return in.aggregateFrames(MAX_FRAME_BYTES).receiveFrames().doOnNext(this::frame).then();
    }

    private void frame(WebSocketFrame frame) {
        long nowNs = nanoTime.getAsLong();
        if (frame instanceof TextWebSocketFrame text) {
            listener.text(text.text(), nowNs);
        } else if (frame instanceof BinaryWebSocketFrame binary) {
            listener.text("<binary frame of " + binary.content().readableBytes() + " bytes>", nowNs);
        }
    }

    private void end(@Nullable String reason) {
        if (!closed) {
            closed = true;
            listener.closed(reason == null ? why : reason, nanoTime.getAsLong());
        }
    }

    public void send(String text) {
        if (channel != null) {
            var _ = channel.writeAndFlush(new TextWebSocketFrame(text), channel.voidPromise()); // closed() tells if it fails
        }
    }

    /** The caller cuts a payload into frames. */
    public void send(byte[] bytes, int from, int length) {
        if (channel != null) {
            var _ = channel.writeAndFlush(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(bytes, from, length)),
                    channel.voidPromise());
        }
    }

    public void pauseReading(boolean pause) {
        if (channel != null) {
            channel.config().setAutoRead(!pause);
        }
    }

    public void vanish() {
        if (channel != null) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0); // a reset, as when a device dies
            var _ = channel.close();
        }
    }

    public void close() {
        if (channel != null) {
            var _ = channel.writeAndFlush(new CloseWebSocketFrame(NORMAL_CLOSURE, ""), channel.voidPromise());
        }
    }
}
