package dev.tidestream.server.bench.wire;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.NetSocket;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.Protocol;

/**
 * Opens WebSockets, asks each for one stream, and counts its frames, of which it looks at the length and at the first letter of the
 * type: a client that decoded them would take more of the machine than the servers do.
 */
final class FrameClient implements AutoCloseable {
    private static final int MASKED = 0x80;
    private static final int DIGITS = 2;
    private static final byte[] END_OF_HEAD = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /**
     * What came of all streams.
     *
     * @param gaps ns between two tokens of a stream
     */
    record Count(long tokens, long bytes, long nanos, Histogram gaps) {
        double tokensPerSecond() {
            return tokens * 1e9 / nanos;
        }
    }

    private final Vertx vertx = Vertx.vertx();
    private final NetClient client = vertx.createNetClient(new NetClientOptions().setTcpNoDelay(true));

    /**
     * Opens all connections, then asks for all streams, and waits for their ends.
     *
     * @param request a message of the protocol
     * @throws IllegalStateException if a stream does not end with {@code finished}
     */
    Count run(int port, int streams, String request) throws TimeoutException {
        List<Stream> all = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            NetSocket socket = client.connect(port, "127.0.0.1").await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
            Stream stream = new Stream(socket, null);
            stream.upgrade(port);
            all.add(stream);
        }
        all.forEach(stream -> await(stream.open));
        Buffer frame = masked(request);
        long startNs = System.nanoTime();
        all.forEach(stream -> stream.ask(frame));
        all.forEach(stream -> await(stream.end));
        long nanos = System.nanoTime() - startNs;
        all.forEach(stream -> stream.socket.close());
        Histogram gaps = new Histogram(DIGITS);
        all.forEach(stream -> gaps.add(stream.gaps));
        return new Count(all.stream().mapToLong(stream -> stream.tokens).sum(),
                all.stream().mapToLong(stream -> stream.bytes).sum(), nanos, gaps);
    }

    /** The text messages of one stream, from the first to the last. */
    List<String> record(int port, String request) throws TimeoutException {
        List<String> messages = new ArrayList<>();
        NetSocket socket = client.connect(port, "127.0.0.1").await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
        Stream stream = new Stream(socket, messages);
        stream.upgrade(port);
        await(stream.open);
        stream.ask(masked(request));
        await(stream.end);
        socket.close();
        return messages;
    }

    private static void await(CompletableFuture<?> what) {
        try {
            what.get(NullServer.PATIENCE_S, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a stream did not come to its end: " + Reasons.of(e), e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("a stream did not come to its end: timeout_s=" + NullServer.PATIENCE_S, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while streams were running", e);
        }
    }

    /** A text frame as clients send it (RFC 6455, 5.3), masked with zeros. */
    private static Buffer masked(String text) {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        Buffer frame = Buffer.buffer().appendByte((byte) 0x81);
        if (payload.length < 126) {
            frame.appendByte((byte) (MASKED | payload.length));
        } else {
            frame.appendByte((byte) (MASKED | 126)).appendUnsignedShort(payload.length);
        }
        return frame.appendInt(0).appendBytes(payload);
    }

    private static final class Stream {
        private final NetSocket socket;
        private final @Nullable List<String> messages; // kept for the caller, or not
        private final CompletableFuture<@Nullable Void> open = new CompletableFuture<>();
        private final CompletableFuture<@Nullable Void> end = new CompletableFuture<>();
        private Buffer rest = Buffer.buffer(); // of a frame that has not come whole
        private long tokens; // of the event loop, like the next; read by others once the stream has ended
        private long bytes;
        private boolean finished;
        private final Histogram gaps = new Histogram(DIGITS); // ns
        private long lastNs; // of the last token; 0: none

        Stream(NetSocket socket, @Nullable List<String> messages) {
            this.socket = socket;
            this.messages = messages;
            socket.handler(this::received);
            socket.closeHandler(gone -> {
                IllegalStateException early = new IllegalStateException("connection closed: tokens=" + tokens);
                open.completeExceptionally(early);
                end.completeExceptionally(early);
            });
        }

        void upgrade(int port) {
            socket.write("""
                    GET %s HTTP/1.1\r
                    Host: 127.0.0.1:%d\r
                    Connection: Upgrade\r
                    Upgrade: websocket\r
                    Sec-WebSocket-Version: 13\r
                    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
                    Sec-WebSocket-Protocol: %s\r
                    \r
                    """.formatted(Protocol.PATH, port, Protocol.SUBPROTOCOL));
        }

        void ask(Buffer frame) {
            socket.write(frame);
        }

        private void received(Buffer data) {
            Buffer all = rest.length() == 0 ? data : rest.appendBuffer(data);
            int at = open.isDone() ? 0 : head(all);
            if (at >= 0) {
                at = frames(all, at);
            }
            rest = at == all.length() ? Buffer.buffer() : all.getBuffer(Math.max(at, 0), all.length());
        }

        /** @return where the first frame begins; -1: the answer to the upgrade has not come whole */
        private int head(Buffer all) {
            String text = all.toString(StandardCharsets.ISO_8859_1);
            int end = text.indexOf("\r\n\r\n");
            if (end < 0) {
                return -1;
            }
            if (text.startsWith("HTTP/1.1 101 ")) {
                open.complete(null);
            } else {
                open.completeExceptionally(new IllegalStateException("no WebSocket: " + text.lines().findFirst().orElse("")));
            }
            return end + END_OF_HEAD.length;
        }

        /** @return where the frame begins that has not come whole */
        private int frames(Buffer all, int from) {
            int at = from;
            long newTokens = 0;
            while (at + 2 <= all.length()) {
                int length = all.getByte(at + 1) & 0x7F;
                int payload = at + 2;
                if (length == 126) {
                    payload += 2;
                    length = payload <= all.length() ? all.getUnsignedShort(at + 2) : Integer.MAX_VALUE / 2;
                }
                if (payload + length > all.length()) {
                    break;
                }
                newTokens += message(all, payload, length);
                at = payload + length;
            }
            if (newTokens > 0) {
                long nowNs = System.nanoTime();
                if (lastNs != 0) {
                    gaps.recordValue(nowNs - lastNs);
                }
                lastNs = nowNs;
            }
            tokens += newTokens;
            bytes += at - from;
            if (finished) {
                end.complete(null);
            }
            return at;
        }

        /** @return tokens in it; the type stands at its begin, {@code "token"} or {@code "finished"} */
        private int message(Buffer all, int payload, int length) {
            if (messages != null) {
                messages.add(all.getString(payload, payload + length));
            }
            switch (length < 12 ? 0 : all.getByte(payload + 9)) {
                case 't' -> {
                    return 1;
                }
                case 'f' -> {
                    if (all.getByte(payload + 10) == 'i') {
                        finished = true;
                    } else {
                        end.completeExceptionally(new IllegalStateException(all.getString(payload, payload + length)));
                    }
                }
                default -> { } // accepted, or a ping
            }
            return 0;
        }
    }

    @Override
    public void close() throws TimeoutException {
        vertx.close().await(NullServer.PATIENCE_S, TimeUnit.SECONDS);
    }
}
