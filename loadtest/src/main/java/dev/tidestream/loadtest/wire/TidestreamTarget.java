package dev.tidestream.loadtest.wire;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.WeightsPolicy;

/** A server that speaks tidestream.v1. */
public final class TidestreamTarget implements Target {
    private static final float NEVER = -100;

    private final Io io;
    private final URI url;
    private final ApiKey key;
    private final LongSupplier nanoTime;
    private final Codec codec = new Codec(Limits.DEFAULT);

    /**
     * Connects when it is told to.
     *
     * @param url of the stream endpoint, with the scheme ws or wss
     * @param key that the server wants
     */
    public TidestreamTarget(Io io, URI url, ApiKey key, LongSupplier nanoTime) {
        this.key = key;
        this.io = io;
        this.url = url;
        this.nanoTime = nanoTime;
    }

    @Override
    public String name() {
        return "tidestream " + url;
    }

    @Override
    public boolean countsFrames() {
        return true;
    }

    @Override
    public void connect(Link.Listener listener) {
        Socket.connect(key.shownBy(io.http()), url, Protocol.SUBPROTOCOL, nanoTime, new Socket.Listener() {
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
            socket.send(codec.encode(new ClientMessage.Generate(request.id(), request.prompt().text(), request.prompt().tokens(),
                    request.prompt().maxTokens(), sampling, List.of(), -1,
                    request.follow() ? WeightsPolicy.FOLLOW : WeightsPolicy.PIN, request.credit())));
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
