package dev.tidestream.server.cluster.gateway;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.cluster.wire.ClusterCodec;
import dev.tidestream.server.cluster.wire.ClusterProtocol;
import dev.tidestream.server.cluster.wire.GatewayFrame;
import dev.tidestream.server.cluster.wire.WireException;
import dev.tidestream.server.cluster.wire.WorkerFrame;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.transport.common.Mailbox;

/**
 * A worker on another node, over one WebSocket with all streams of this gateway there. It is up from the worker's hello on until the socket
 * closes, or the worker has said nothing for too long, not even a pong: then all its streams end with a {@link WorkerLostException}, at once.
 * Afterwards it connects anew, until it is closed.
 *
 * <p>What changes a stream (credit, stop) is gathered for as long as the event loop has more of it, and goes out as one message. All state
 * is one event loop's; {@link #post} leads there.
 */
public final class WorkerLink implements Worker {
    private static final Logger log = LoggerFactory.getLogger(WorkerLink.class);
    private static final int LOOKS = 4; // in the time after which silence counts: one of ours that was late does not kill
    private static final long FIRST_PAUSE_MS = 50;
    private static final long LONGEST_PAUSE_MS = 2_000;

    /** What a link tells; on its event loop. */
    public interface Listener {
        /** It takes streams. */
        void up(WorkerLink link);

        /** Its streams would like to go on elsewhere, and it takes no more. */
        void draining(WorkerLink link);

        /** It is gone; its streams were told. */
        void down(WorkerLink link, String why);
    }

    private final LinkConfig config;
    private final ClusterCodec codec;
    private final WebSocketClient client;
    private final Vertx vertx;
    private final Context context;
    private final Mailbox mailbox;
    private final Listener listener;
    private final Map<Long, LinkStream> streams = new HashMap<>();
    private final Set<LinkStream> changed = new LinkedHashSet<>();
    private final List<GatewayFrame> cancels = new ArrayList<>();
    private final Promise<Void> closed = Promise.promise();
    private @Nullable WebSocket socket;
    private boolean greeted;
    private boolean flushing;
    private boolean closing;
    private boolean heard;
    private int silentLooks;
    private long lastId;
    private long pauseMs = FIRST_PAUSE_MS;
    private volatile boolean up;

    /**
     * A link that is not connected.
     *
     * @param client whose options bound messages; stays the caller's
     */
    public WorkerLink(Vertx vertx, WebSocketClient client, LinkConfig config, ClusterCodec codec, Listener listener) {
        this.vertx = vertx;
        this.client = client;
        this.config = config;
        this.codec = codec;
        this.listener = listener;
        this.context = vertx.getOrCreateContext();
        this.mailbox = new Mailbox(task -> context.runOnContext(v -> task.run()));
    }

    /** Connects, again and again until it is closed. */
    public void start() {
        post(this::connect);
    }

    /** Ends it and its streams; completes when the socket is closed. */
    public Future<Void> close() {
        post(() -> {
            closing = true;
            lost("the gateway has no more use for it");
            closed.tryComplete();
        });
        return closed.future();
    }

    @Override
    public String node() {
        return config.node();
    }

    /** Where the worker listens. */
    public String url() {
        return config.url();
    }

    /** Whether it takes streams. Any thread. */
    public boolean isUp() {
        return up;
    }

    @Override
    public Generation generate(GenerateRequest request) {
        return new LinkStream(this, request);
    }

    /** Runs a task on the event loop. Any thread. */
    void post(Runnable task) {
        mailbox.post(task);
    }

    // ---- the socket

    private void connect() {
        if (closing) {
            return;
        }
        WebSocketConnectOptions options = new WebSocketConnectOptions().setAbsoluteURI(socketUrl() + ClusterProtocol.PATH)
                .addSubProtocol(ClusterProtocol.SUBPROTOCOL).setTimeout(config.silence().toMillis())
                .putHeader(HttpHeaders.AUTHORIZATION, "Bearer " + config.secret());
        client.connect(options).onComplete(this::connected, failure -> {
            log.debug("a worker cannot be reached: node={}, url={}", config.node(), config.url(), failure);
            connectLater();
        });
    }

    private String socketUrl() {
        return config.url().startsWith("https") ? "wss" + config.url().substring("https".length()) : "ws" + config.url().substring("http".length());
    }

    private void connectLater() {
        if (!closing) {
            vertx.setTimer(pauseMs, fired -> connect());
            pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
        }
    }

    private void connected(WebSocket newcomer) {
        if (closing) {
            var _ = newcomer.close();
            return;
        }
        socket = newcomer;
        greeted = false;
        heard = true;
        silentLooks = 0;
        newcomer.textMessageHandler(text -> {
            if (socket == newcomer) {
                onText(text);
            }
        });
        newcomer.pongHandler(pong -> heard = true);
        newcomer.exceptionHandler(e -> log.debug("connection to a worker failed: node={}", config.node(), e));
        newcomer.closeHandler(v -> {
            if (socket == newcomer) {
                lost("it closed the connection");
            }
        });
        look(newcomer);
    }

    /** Timers that come late come once, and what has come meanwhile is read in between: only a worker that is silent is found so. */
    private void look(WebSocket at) {
        vertx.setTimer(Math.max(1, config.silence().toMillis() / LOOKS), fired -> {
            if (socket != at) {
                return;
            }
            silentLooks = heard ? 0 : silentLooks + 1;
            heard = false;
            if (silentLooks >= LOOKS) {
                lost("no sign of life for %d ms".formatted(config.silence().toMillis()));
            } else {
                var _ = at.writePing(Buffer.buffer());
                look(at);
            }
        });
    }

    private void lost(String why) {
        WebSocket gone = socket;
        socket = null;
        if (gone == null) {
            return;
        }
        boolean wasUp = up;
        up = false;
        var _ = gone.close();
        List<LinkStream> theirs = List.copyOf(streams.values());
        streams.clear();
        changed.clear();
        cancels.clear();
        if (!closing && (wasUp || !theirs.isEmpty())) {
            log.warn("worker lost: node={}, url={}, streams={}, reason={}", config.node(), config.url(), theirs.size(), why);
        }
        listener.down(this, why); // first, so that nobody chooses it again
        theirs.forEach(stream -> stream.failed(new WorkerLostException(config.node(), why)));
        connectLater();
    }

    // ---- what it says

    private void onText(String text) {
        heard = true;
        try {
            codec.decodeWorker(text).forEach(this::take);
        } catch (WireException e) {
            log.error("a worker said what is no frame: node={}, message={}", config.node(), e.getMessage());
            lost("it said what is no frame");
        }
    }

    private void take(WorkerFrame frame) {
        switch (frame) {
            case WorkerFrame.Hello h -> greet(h);
            case WorkerFrame.Drain d -> {
                up = false;
                log.info("worker drains: node={}, streams={}", config.node(), streams.size());
                listener.draining(this);
            }
            case WorkerFrame.Event e -> event(e.id(), e.event());
            case WorkerFrame.Failed f -> {
                LinkStream stream = streams.remove(f.id());
                if (stream != null) {
                    stream.failed(new EngineException(f.code(), f.message()));
                }
            }
            case WorkerFrame.Fault f -> log.error("a worker does not understand this gateway: node={}, message={}", config.node(), f.message());
        }
    }

    private void greet(WorkerFrame.Hello hello) {
        if (!hello.node().equals(config.node()) || !hello.model().equals(config.model())) {
            log.error("a worker is another than was expected, it gets no streams: url={}, node={}, expected={}, model={}, expected_model={}",
                    config.url(), hello.node(), config.node(), hello.model(), config.model());
            pauseMs = LONGEST_PAUSE_MS;
            lost("it is another node, or has another model");
            return;
        }
        greeted = true;
        up = true;
        pauseMs = FIRST_PAUSE_MS;
        log.info("worker is there: node={}, url={}", config.node(), config.url());
        listener.up(this);
    }

    private void event(long id, TokenEvent event) {
        LinkStream stream = streams.get(id);
        if (stream == null) {
            return; // nobody listens any more
        }
        boolean last = switch (event) {
            case TokenEvent.Token t -> t.finish() != null;
            case TokenEvent.Stopped s -> true;
            case TokenEvent.Accepted a -> false;
            case TokenEvent.Progress p -> false;
            case TokenEvent.Scored s -> false;
        };
        if (last) {
            streams.remove(id);
        }
        stream.next(event);
        if (last) {
            stream.complete();
        }
    }

    // ---- what is said to it

    void open(LinkStream stream) {
        if (socket == null || !greeted) {
            stream.failed(new WorkerLostException(config.node(), "it is not connected"));
            return;
        }
        if (!stream.wanted()) {
            return; // cancelled while it was subscribed to
        }
        stream.open(++lastId);
        streams.put(stream.id(), stream);
        changed(stream);
    }

    void changed(LinkStream stream) {
        if (streams.containsKey(stream.id())) {
            changed.add(stream);
            flushSoon();
        }
    }

    void cancelled(LinkStream stream) {
        if (streams.remove(stream.id()) != null) {
            changed.remove(stream);
            if (stream.isStarted()) {
                cancels.add(new GatewayFrame.Cancel(stream.id()));
                flushSoon();
            }
        }
    }

    private void flushSoon() {
        if (!flushing) {
            flushing = true;
            post(this::flush); // behind what else has been posted until now
        }
    }

    private void flush() {
        flushing = false;
        WebSocket to = socket;
        if (to == null) {
            return;
        }
        List<GatewayFrame> frames = new ArrayList<>(cancels);
        cancels.clear();
        for (LinkStream stream : changed) {
            long credit = stream.takeCredit();
            if (!stream.setStarted()) {
                send(to, List.of(new GatewayFrame.Start(stream.id(), credit, stream.request()))); // alone: it may be too large
            } else if (credit > 0) {
                frames.add(new GatewayFrame.Credit(stream.id(), credit));
            }
            if (stream.takeStop()) {
                frames.add(new GatewayFrame.Stop(stream.id()));
            }
        }
        changed.clear();
        if (!frames.isEmpty()) {
            send(to, frames);
        }
    }

    private void send(WebSocket to, List<GatewayFrame> frames) {
        var _ = to.writeTextMessage(codec.encodeGateway(frames));
    }
}
