package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import io.vertx.core.Vertx;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.Usage;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.Generation;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.AdapterNames;
import dev.tidestream.server.openai.ModelEndpoints;
import dev.tidestream.server.openai.ServedModel;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The real server's endpoints, with an engine behind them into which a fault was put: the tool sees it from outside. */
class FaultyServerIT {
    private static final int TOKENS = 12;
    private static final int FAULTY = 3; // which stream

    private final Vertx vertx = Vertx.vertx();
    private final StringWriter said = new StringWriter();

    /** What becomes of the events of the faulty stream. */
    private interface Fault {
        Flux<TokenEvent> in(Flux<TokenEvent> events);
    }

    /** Streams of twelve tokens; a stream that follows moves to the next version in its middle. */
    private record FakeEngine(Fault fault, AtomicLong streams) implements Engine {
        @Override
        public Generation generate(GenerateRequest request) {
            return new FakeGeneration(Flux.defer(() -> {
                long number = streams.incrementAndGet();
                Flux<TokenEvent> events = Flux.fromIterable(events(number, request));
                return number == FAULTY ? fault.in(events) : events;
            }));
        }

        private static List<TokenEvent> events(long number, GenerateRequest request) {
            List<TokenEvent> events = new ArrayList<>();
            events.add(new TokenEvent.Accepted(number, 1, 7, "packed", 3));
            for (int seq = 0; seq < TOKENS; seq++) {
                long version = request.weights() == WeightsPolicy.FOLLOW && seq >= TOKENS / 2 ? 8 : 7;
                TokenEvent.Finish finish = seq + 1 < TOKENS ? null
                        : new TokenEvent.Finish(FinishReason.LENGTH, new Usage(3, TOKENS), new Timing(0, 1, 2, 3));
                events.add(new TokenEvent.Token(seq, seq, " w", version, null, List.of(), finish));
            }
            return events;
        }

        @Override
        public Flux<Long> weightsVersions() {
            return Flux.concat(Flux.just(7L), Flux.never());
        }
    }

    private record FakeGeneration(Flux<TokenEvent> events) implements Generation {
        @Override
        public void stop() { }
    }

    private int run(Fault fault, String... more) throws Exception {
        ServerVerticle verticle = new ServerVerticle(TransportConfig.DEFAULT.withAddress("127.0.0.1", 0),
                new FakeEngine(fault, new AtomicLong()), () -> Readiness.READY)
                .serving(loop -> ModelEndpoints.endpoints(
                        () -> new ServedModel("fake", 0, 512, 4096, OptionalLong.empty(), 7, "packed"), AdapterNames.NONE));
        vertx.deployVerticle(verticle).await(60, TimeUnit.SECONDS);
        List<String> args = new ArrayList<>(List.of("--url", "ws://127.0.0.1:" + verticle.actualPort() + "/v1/stream",
                "--requests", "20", "--concurrency", "4", "--warmup", "0s", "--output-tokens", String.valueOf(TOKENS)));
        args.addAll(List.of(more));
        return Main.run(new PrintWriter(said), new PrintWriter(said), args.toArray(String[]::new));
    }

    @AfterEach
    void close() throws Exception {
        vertx.close().await(60, TimeUnit.SECONDS);
    }

    private void caught(int exitCode, String evidence) {
        assertEquals(1, exitCode, said.toString());
        assertTrue(said.toString().contains("FAILED") && said.toString().contains(evidence), said.toString());
    }

    @Test
    void shouldPassAServerWithoutAFault() throws Exception {
        assertEquals(0, run(events -> events, "--follow", "0.5", "--idle", "3"), said.toString());
        assertTrue(said.toString().contains("finished 20, failed 0"), said.toString());
    }

    @Test
    void shouldCatchADroppedToken() throws Exception {
        caught(run(events -> events.filter(event -> !(event instanceof TokenEvent.Token t && t.seq() == 5))),
                "tokens lost: seq=6, expected=5");
    }

    @Test
    void shouldCatchARepeatedToken() throws Exception {
        caught(run(events -> events.concatMapIterable(event -> event instanceof TokenEvent.Token t && t.seq() == 5
                ? List.of(event, event) : List.of(event))), "a token repeated or out of order: seq=5, expected=6");
    }

    @Test
    void shouldCatchAMixedVersion() throws Exception {
        caught(run(FaultyServerIT::mixed), "another weights version in a pinned stream: version=6, before=7");
    }

    @Test
    void shouldCatchAVersionThatFallsBack() throws Exception {
        caught(run(FaultyServerIT::mixed, "--follow", "1"),
                "an older weights version in a following stream: version=6, before=7");
    }

    /** One token from old weights, as if a layer of them had been left behind. */
    private static Flux<TokenEvent> mixed(Flux<TokenEvent> events) {
        return events.map(event -> event instanceof TokenEvent.Token t && t.seq() == 4
                ? new TokenEvent.Token(t.seq(), t.token(), t.text(), 6, t.logprob(), t.topLogprobs(), t.finish()) : event);
    }
}
