package dev.tidestream.loadtest;

import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.WebsocketServerSpec;
import reactor.netty.http.websocket.WebsocketInbound;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;

/** A server on a free port of loopback that answers by a script, and writes down when it really sent what. */
final class ScriptedServer implements AutoCloseable {
    private static final String MODELS = "{\"object\":\"list\",\"data\":"
            + "[{\"id\":\"scripted\",\"vocabulary_size\":4096,\"context_length\":64}]}";

    private static final String METRICS =
            "tidestream_server_info{kernels=\"quick\",java=\"25\",threads=\"3\",version=\"9.9\"} 1.0\n";

    private static final long PATIENCE_NS = 60_000_000_000L;

    /** What to say to the {@code number}-th request since the server began. */
    interface Script {
        List<Reply> to(ClientMessage.Generate request, int number);
    }

    /** What to say to whoever goes on with a stream, given what was said to its request. */
    interface Resumption {
        List<Reply> to(ClientMessage.Resume request, List<Reply> said);
    }

    /** @param delayNs after the reply before, or after the request */
    record Reply(long delayNs, ServerMessage message) {}

    private final Codec codec = new Codec(Limits.DEFAULT);
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private final List<ClientMessage> received = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, List<Long>> sentNs = new ConcurrentHashMap<>();
    private final Map<String, List<Long>> creditNs = new ConcurrentHashMap<>();
    private final Map<String, Long> finishedNs = new ConcurrentHashMap<>();
    private final Map<String, List<Reply>> resumable; // by their name
    private final List<Channel> channels = Collections.synchronizedList(new ArrayList<>());
    private final Resumption resumption;
    private final boolean keepsToCredit;
    private volatile long connectedNs;
    private final DisposableServer server;
    private volatile long stalledUntilNs = Long.MIN_VALUE;

    /** Sends as the script says, whatever credit it is granted. */
    ScriptedServer(Script script) {
        this(script, false);
    }

    /** @param keepsToCredit sends a token, and the end, only if there is credit; the gap before it counts from the last one */
    ScriptedServer(Script script, boolean keepsToCredit) {
        this(script, keepsToCredit, ScriptedServer::rest, new ConcurrentHashMap<>());
    }

    /** One that goes on with streams on other connections, if they were asked for as resumable: {@code "name-of-" + id}. */
    ScriptedServer(Script script, Resumption resumption) {
        this(script, false, resumption, new ConcurrentHashMap<>());
    }

    /** One that goes on with streams of another server, too. */
    ScriptedServer(Script script, ScriptedServer peer) {
        this(script, false, ScriptedServer::rest, peer.resumable);
    }

    private ScriptedServer(Script script, boolean keepsToCredit, Resumption resumption, Map<String, List<Reply>> resumable) {
        this.resumable = resumable;
        this.keepsToCredit = keepsToCredit;
        this.resumption = resumption;
        server = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .doOnConnection(_ -> connectedNs = System.nanoTime())
                .route(routes -> routes
                        .get("/v1/models", (_, response) -> response.header("Content-Type", "application/json")
                                .sendString(Mono.just(MODELS)))
                        .get("/metrics", (_, response) -> response.sendString(Mono.just(METRICS)))
                        .ws(Protocol.PATH, (in, _) -> serve(in, script), WebsocketServerSpec.builder()
                                .protocols(Protocol.SUBPROTOCOL).build()))
                .bindNow();
    }

    private Mono<Void> serve(WebsocketInbound in, Script script) {
        Channel[] channel = new Channel[1];
        in.withConnection(connection -> {
            channel[0] = connection.channel();
            channels.add(connection.channel());
        });
        Map<String, Play> plays = new HashMap<>();
        return in.receive().asString().doOnNext(text -> {
            try {
                ClientMessage message = codec.decodeClient(text);
                if (message instanceof ClientMessage.Generate generate) {
                    running.incrementAndGet();
                    List<Reply> replies = script.to(generate, requests.getAndIncrement());
                    Play play = new Play(channel[0], generate.options().resumable() ? named(generate.id(), replies) : replies,
                            keepsToCredit ? generate.credit().orElse(Integer.MAX_VALUE) : Integer.MAX_VALUE);
                    plays.put(generate.id(), play);
                    play.next();
                } else if (message instanceof ClientMessage.Credit credit && keepsToCredit) {
                    creditNs.computeIfAbsent(credit.id(), _ -> new ArrayList<>()).add(System.nanoTime());
                    Objects.requireNonNull(plays.get(credit.id()), credit.id()).granted(credit.n());
                }
                if (message instanceof ClientMessage.Resume resume) {
                    running.incrementAndGet();
                    new Play(channel[0], resumption.to(resume, Objects.requireNonNull(resumable.get(resume.stream()), resume.stream())),
                            Integer.MAX_VALUE).next();
                }
                synchronized (received) {
                    received.add(message);
                    received.notifyAll();
                }
            } catch (ProtocolException e) {
                throw new AssertionError("not a frame of a client: " + text, e);
            }
        }).then();
    }

    private List<Reply> named(String id, List<Reply> replies) {
        String name = "name-of-" + id;
        List<Reply> all = replies.stream().map(reply -> reply.message() instanceof ServerMessage.Accepted a
                ? new Reply(reply.delayNs(),
                        new ServerMessage.Accepted(id, a.stream(), a.seed(), a.weightsVersion(), a.promptTokens(), name))
                : reply).toList();
        resumable.put(name, all);
        return all;
    }

    /** {@code accepted}, and what comes behind the last token that the client has. */
    static List<Reply> rest(ClientMessage.Resume request, List<Reply> said) {
        return new ArrayList<>(said.stream()
                .filter(reply -> !(reply.message() instanceof ServerMessage.Token t && t.seq() <= request.afterSeq())).toList());
    }

    /** The replies to one request; on its connection's event loop. */
    private final class Play {
        private final Channel channel;
        private final List<Reply> replies;
        private int at;
        private int credit;
        private boolean waits;
        private long lastNs = System.nanoTime();

        Play(Channel channel, List<Reply> replies, int credit) {
            this.channel = channel;
            this.replies = replies;
            this.credit = credit;
        }

        void granted(int tokens) {
            credit += tokens;
            if (waits) {
                waits = false;
                next();
            }
        }

        void next() {
            if (at == replies.size()) {
                running.decrementAndGet();
                return;
            }
            Reply reply = replies.get(at);
            if (credit == 0 && !(reply.message() instanceof ServerMessage.Accepted)) { // the end, too, waits for a word
                waits = true;
                return;
            }
            long dueNs = Math.max(lastNs + reply.delayNs(), stalledUntilNs);
            var _ = channel.eventLoop().schedule(() -> say(reply.message()), dueNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        private void say(ServerMessage message) {
            long nowNs = System.nanoTime();
            if (nowNs < stalledUntilNs) { // the stall began while this one waited
                next();
                return;
            }
            if (message instanceof ServerMessage.Token token) {
                credit--;
                sentNs.computeIfAbsent(token.id(), _ -> new ArrayList<>()).add(nowNs);
            } else if (message instanceof ServerMessage.Finished finished) {
                finishedNs.put(finished.id(), nowNs);
            }
            var _ = channel.writeAndFlush(new TextWebSocketFrame(codec.encode(message)));
            lastNs = nowNs;
            at++;
            next();
        }
    }

    /** Nothing is sent for so long, counted from now. */
    void stall(long forNs) {
        stalledUntilNs = System.nanoTime() + forNs;
    }

    /** Requests whose replies are not over, the one that is asked about included. */
    int running() {
        return running.get();
    }

    URI url() {
        return URI.create("ws://127.0.0.1:" + server.port() + Protocol.PATH);
    }

    List<ClientMessage> received() {
        return List.copyOf(received);
    }

    /** Waits until what was received is as wanted: when a run has ended, its last frames may be on their way yet. */
    void await(Predicate<List<ClientMessage>> wanted) throws InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE_NS;
        synchronized (received) {
            while (!wanted.test(received)) {
                long leftNs = deadlineNs - System.nanoTime();
                if (leftNs <= 0) {
                    throw new AssertionError("it never came to that: " + received);
                }
                TimeUnit.NANOSECONDS.timedWait(received, leftNs);
            }
        }
    }

    /** When the tokens of a stream really went out, by stream. */
    Map<String, List<Long>> sentNs() {
        return sentNs;
    }

    /** When credit for a stream came in, by stream; if the server keeps to it. */
    Map<String, List<Long>> creditNs() {
        return creditNs;
    }

    /** When streams were ended, by stream. */
    Map<String, Long> finishedNs() {
        return finishedNs;
    }

    /** When the last connection was made. */
    long connectedNs() {
        return connectedNs;
    }

    /** A good stream: {@code tokens} tokens, the first after {@code firstNs}, the others {@code gapNs} apart. */
    static List<Reply> stream(String id, int tokens, long firstNs, long gapNs) {
        List<Reply> replies = new ArrayList<>();
        replies.add(new Reply(0, new ServerMessage.Accepted(id, 1, 2, 7, 3)));
        for (int i = 0; i < tokens; i++) {
            replies.add(new Reply(i == 0 ? firstNs : gapNs, token(id, i, 7)));
        }
        replies.add(new Reply(0, finished(id, tokens)));
        return replies;
    }

    static ServerMessage.Token token(String id, int seq, long version) {
        return new ServerMessage.Token(id, seq, 5, "x", version, null, List.of());
    }

    static ServerMessage.Finished finished(String id, int tokens) {
        return new ServerMessage.Finished(id, FinishReason.LENGTH, new Usage(3, tokens), new Timing(0, 1, 2, 3));
    }

    /** As if it had lost power: nobody is told, nobody can connect. */
    void die() {
        server.disposeNow();
        List.copyOf(channels).forEach(channel -> {
            var _ = channel.close();
        });
    }

    @Override
    public void close() {
        server.disposeNow();
    }
}
