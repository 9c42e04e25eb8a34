package dev.tidestream.loadtest.wire;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.StreamOptions;

/** A server that speaks tidestream.v1. */
public final class TidestreamTarget implements Target {
    private static final float NEVER = -100;

    private final Io io;
    private final URI url;
    private final @Nullable String key;
    private final LongSupplier nanoTime;
    private final Codec codec = new Codec(Limits.DEFAULT);

    /**
     * @param url of the stream endpoint, with the scheme ws or wss
     * @param key goes into a header, nowhere else; null: without
     */
    public TidestreamTarget(Io io, URI url, @Nullable String key, LongSupplier nanoTime) {
        this.io = io;
        this.url = url;
        this.key = key;
        this.nanoTime = nanoTime;
    }

    @Override
    public String name() {
        return "tidestream " + url;
    }

    @Override
    public boolean framesAreItsOwn() {
        return true;
    }

    @Override
    public int streamsPerConnection() {
        return Integer.MAX_VALUE; // the server has its own limit, and says so
    }

    @Override
    public void connect(Link.Listener listener) {
        Socket.connect(io, io.http(key), url, Protocol.SUBPROTOCOL, nanoTime, new Socket.Listener() {
            @Override
            public void opened(Socket socket) {
                listener.opened(new SocketLink(socket));
            }

            @Override
            public void text(String text, long nowNs) {
                ServerMessage message;
                try {
                    message = codec.decodeServer(text);
                } catch (ProtocolException e) {
                    listener.garbage("not a frame of " + Protocol.SUBPROTOCOL + ": " + e.getMessage() + ": " + head(text), nowNs);
                    return;
                }
                listener.message(message, nowNs);
            }

            @Override
            public void closed(String why, long nowNs) {
                listener.closed(why, nowNs);
            }
        });
    }

    private static String head(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "…";
    }

    private final class SocketLink implements Link {
        private final Socket socket;

        SocketLink(Socket socket) {
            this.socket = socket;
        }

        @Override
        public void start(StreamRequest request) {
            StreamRequest.Sampling s = request.sampling();
            SamplingOptions sampling = new SamplingOptions(s.temperature(), 0, 1, 0, 1, 0, 0,
                    s.suppressed() < 0 ? Map.of() : Map.of(s.suppressed(), NEVER), OptionalLong.of(s.seed()));
            socket.send(codec.encode(new ClientMessage.Generate(request.id(), request.prompt().text(), List.of(), false,
                    request.prompt().tokens(), request.prompt().maxTokens(), sampling, List.of(), -1,
                    request.follow() ? WeightsPolicy.FOLLOW : WeightsPolicy.PIN, request.credit(),
                    StreamOptions.NONE.withResumable(request.resumable()))));
        }

        @Override
        public void resume(String id, String name, int afterSeq) {
            socket.send(codec.encode(new ClientMessage.Resume(id, name, afterSeq, OptionalInt.empty())));
        }

        @Override
        public void credit(String id, int tokens) {
            socket.send(codec.encode(new ClientMessage.Credit(id, tokens)));
        }

        @Override
        public void cancel(String id) {
            socket.send(codec.encode(new ClientMessage.Cancel(id)));
        }

        @Override
        public void watch() {
            socket.send(codec.encode(new ClientMessage.Watch(true)));
        }

        @Override
        public void pauseReading(boolean pause) {
            socket.pauseReading(pause);
        }

        @Override
        public void vanish() {
            socket.vanish();
        }

        @Override
        public void close() {
            socket.close();
        }
    }
}
