package dev.tidestream.server.cluster.gateway;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.cluster.route.NodeView;
import dev.tidestream.server.cluster.route.RouteWeights;
import dev.tidestream.server.cluster.route.Router;
import dev.tidestream.server.engine.EngineException;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** One stream over workers that do what the test says, on its thread. */
class RelayedStreamTest {
    private static final int MAX_TOKENS = 9;

    private final List<Script> asked = new ArrayList<>();
    private final List<String> nodes = new ArrayList<>(List.of("a", "b"));
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final RemoteEngine engine = new RemoteEngine(new Named(), new Router(RouteWeights.DEFAULT), RemoteEngine.PromptBlocks.NONE,
            Runnable::run, new RelayTiming(Duration.ZERO, Duration.ofMillis(1), 3), timer, System::nanoTime);

    @AfterEach
    void close() {
        timer.shutdownNow();
    }

    /** Workers by name, all alike. */
    private final class Named implements Fleet {
        @Override
        public List<NodeView> nodes() {
            return nodes.stream().map(name -> new NodeView(name, 1, 4, 0, 0, 0, 1, Set.of(1L), Set.of(), false)).toList();
        }

        @Override
        public Optional<Worker> worker(String node) {
            return Optional.of(new Worker() {
                @Override
                public String node() {
                    return node;
                }

                @Override
                public Generation generate(GenerateRequest request) {
                    Script script = new Script(node, request);
                    asked.add(script);
                    return script;
                }
            });
        }

        @Override
        public long publishedVersion() {
            return 1;
        }
    }

    /** What a worker was asked, and what it says. */
    private static final class Script extends Flux<TokenEvent> implements Generation, Subscription {
        final String node;
        final GenerateRequest request;
        long demand;
        boolean cancelled;
        boolean stopped;
        private @Nullable CoreSubscriber<? super TokenEvent> subscriber;

        Script(String node, GenerateRequest request) {
            this.node = node;
            this.request = request;
        }

        @Override
        public Flux<TokenEvent> events() {
            return this;
        }

        @Override
        public void subscribe(CoreSubscriber<? super TokenEvent> newcomer) {
            subscriber = newcomer;
            newcomer.onSubscribe(this);
        }

        @Override
        public void request(long n) {
            demand += n;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public void stop() {
            stopped = true;
        }

        private CoreSubscriber<? super TokenEvent> to() {
            return Objects.requireNonNull(subscriber);
        }

        void say(TokenEvent event) {
            assertTrue(demand > 0, "nobody has asked for " + event);
            demand--;
            to().onNext(event);
        }

        void accept() {
            say(new TokenEvent.Accepted(5, 42, 1, "packed", 3));
        }

        void tokens(int from, int to) {
            for (int seq = from; seq < to; seq++) {
                TokenEvent.Finish finish = seq + 1 < MAX_TOKENS ? null
                        : new TokenEvent.Finish(FinishReason.LENGTH, new Usage(3, MAX_TOKENS), new Timing(0, 1, 2, 3));
                say(new TokenEvent.Token(seq, 100 + seq, "t" + seq, 1, null, List.of(), finish));
            }
        }

        void fail(Throwable error) {
            to().onError(error);
        }

        void lose() {
            fail(new WorkerLostException(node, "the test says so"));
        }
    }

    /** The client. */
    private static final class Client extends BaseSubscriber<TokenEvent> {
        final List<TokenEvent> events = new ArrayList<>();
        @Nullable Throwable error;
        boolean complete;

        @Override
        protected void hookOnSubscribe(Subscription subscription) {}

        @Override
        protected void hookOnNext(TokenEvent event) {
            events.add(event);
        }

        @Override
        protected void hookOnError(Throwable failure) {
            error = failure;
        }

        @Override
        protected void hookOnComplete() {
            complete = true;
        }

        List<Integer> seqs() {
            return events.stream().filter(TokenEvent.Token.class::isInstance).map(event -> ((TokenEvent.Token) event).seq()).toList();
        }

        ErrorCode code() {
            return assertInstanceOf(EngineException.class, error).code();
        }
    }

    private Client begin(long demand) {
        Client client = new Client();
        engine.generate(new GenerateRequest("x", List.of(), false, null, MAX_TOKENS, SamplingOptions.DEFAULT, List.of(), 0, -1, WeightsPolicy.PIN,
                "socket")).events().subscribe(client);
        if (demand > 0) {
            client.request(demand);
        }
        return client;
    }

    private Script last() {
        return asked.getLast();
    }

    @Test
    void shouldAskForWhatTheClientHasRoomForAndNoMore() {
        Client client = begin(0);
        assertEquals(0, last().demand);
        client.request(1);
        last().accept();
        assertEquals(0, last().demand);
        client.request(3);
        assertEquals(3, last().demand);
        last().tokens(0, 2);
        assertEquals(1, last().demand);
        last().lose();
        assertEquals(2, last().demand, "one token, and the second accepted that nobody is told");
        last().accept();
        assertEquals(1, last().demand);
        last().tokens(2, 3);
        assertEquals(0, last().demand);
        assertEquals(List.of(0, 1, 2), client.seqs());
    }

    @Test
    void shouldGoOnBehindTheLastTokenThatWasTold() {
        Client client = begin(Long.MAX_VALUE);
        last().accept();
        last().tokens(0, 4);
        Script first = last();
        first.lose();
        assertEquals(2, asked.size());
        assertTrue(!last().node.equals(first.node));
        assertEquals(4, last().request.continuation().generated().length);
        assertEquals(42, last().request.sampling().seed().orElseThrow());
        first.demand = 1;
        first.tokens(4, 5); // it comes too late
        assertEquals(List.of(0, 1, 2, 3), client.seqs());
        last().accept();
        last().say(new TokenEvent.Progress(1, 7)); // nobody wants to know of it
        last().tokens(4, MAX_TOKENS);
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8), client.seqs());
        assertEquals(1, client.events.stream().filter(TokenEvent.Accepted.class::isInstance).count());
        assertTrue(client.complete);
        assertNull(client.error);
        assertEquals(0, engine.counters().running());
    }

    @Test
    void shouldAskAnotherIfOneIsBusy() {
        Client client = begin(1);
        last().fail(new EngineException(ErrorCode.BUSY, "full"));
        assertEquals(2, asked.size());
        last().accept();
        assertEquals(1, client.events.size());
        Client refused = begin(1);
        last().fail(new EngineException(ErrorCode.BUSY, "full"));
        last().fail(new EngineException(ErrorCode.BUSY, "full, too"));
        assertEquals(ErrorCode.BUSY, refused.code());
        assertEquals("full, too", Objects.requireNonNull(refused.error).getMessage());
    }

    @Test
    void shouldTellAtOnceWhatIsWrongWithARequest() {
        Client client = begin(1);
        last().fail(new EngineException(ErrorCode.PROMPT_TOO_LONG, "long"));
        assertEquals(1, asked.size());
        assertEquals(ErrorCode.PROMPT_TOO_LONG, client.code());
    }

    @Test
    void shouldGiveUpAStreamThatLosesWorkerAfterWorker() {
        nodes.addAll(List.of("c", "d", "e", "f"));
        Client client = begin(Long.MAX_VALUE);
        for (int i = 0; i < 4; i++) {
            last().lose();
        }
        assertEquals(4, asked.size());
        assertEquals(ErrorCode.INTERNAL, client.code());
        Client lucky = begin(Long.MAX_VALUE);
        for (int i = 0; i < 6; i++) { // a token each time: it is not what ends them
            last().accept();
            last().tokens(i, i + 1);
            last().lose();
        }
        assertNull(lucky.error);
    }

    @Test
    void shouldEndAStreamWhoseWorkerLeavesTokensOut() {
        Client client = begin(Long.MAX_VALUE);
        last().accept();
        last().tokens(0, 1);
        last().tokens(2, 3);
        assertEquals(List.of(0), client.seqs());
        assertEquals(ErrorCode.INTERNAL, client.code());
        assertTrue(last().cancelled);
    }

    @Test
    void shouldStopAndCancelWhereItRuns() {
        Client client = new Client();
        Generation generation = engine.generate(new GenerateRequest("x", null, MAX_TOKENS, SamplingOptions.DEFAULT, List.of(), 0, WeightsPolicy.PIN));
        generation.events().subscribe(client);
        client.request(5);
        last().accept();
        generation.stop();
        assertTrue(last().stopped);
        last().lose();
        assertTrue(last().stopped, "whoever takes it is told");
        client.cancel();
        assertTrue(last().cancelled);
        assertEquals(0, engine.counters().running());
    }

    @Test
    void shouldMoveFromAWorkerThatDrainsIfThereIsAnother() {
        Client client = begin(Long.MAX_VALUE);
        last().accept();
        last().tokens(0, 2);
        Script first = last();
        engine.moveFrom(first.node);
        assertTrue(first.cancelled);
        assertEquals(2, last().request.continuation().generated().length);
        nodes.remove(first.node);
        Script second = last();
        second.accept();
        engine.moveFrom(second.node);
        assertEquals(2, asked.size(), "nobody else is there, so it stays");
        second.tokens(2, MAX_TOKENS);
        assertTrue(client.complete);
    }

    @Test
    void shouldRefuseNoDemand() {
        Client client = new Client();
        Subscription[] subscription = new Subscription[1];
        engine.generate(new GenerateRequest("x", null, 5, SamplingOptions.DEFAULT, List.of(), 0, WeightsPolicy.PIN)).events()
                .subscribe(new CoreSubscriber<>() {
                    @Override
                    public void onSubscribe(Subscription s) {
                        subscription[0] = s;
                    }

                    @Override
                    public void onNext(TokenEvent event) {}

                    @Override
                    public void onError(Throwable t) {
                        client.error = t;
                    }

                    @Override
                    public void onComplete() {}
                });
        subscription[0].request(0);
        assertInstanceOf(IllegalArgumentException.class, client.error);
        assertTrue(last().cancelled);
    }
}
