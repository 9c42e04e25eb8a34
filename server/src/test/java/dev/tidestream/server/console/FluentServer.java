package dev.tidestream.server.console;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

import io.vertx.core.Vertx;
import reactor.core.publisher.Flux;

import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.Timing;
import dev.tidestream.protocol.TopLogprob;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.console.docs.DocsEndpoints;
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

/**
 * The console and the wire with an engine that knows no model: it makes as many tokens as are wanted, as fast as they are asked for, of
 * all degrees of probability, and of another version of the weights every so many.
 */
final class FluentServer implements AutoCloseable {
    private static final int PATIENCE_S = 60;
    private static final int TOKENS_OF_A_VERSION = 3000;
    private static final String[] WORDS = {" the", " old", " king", " went", " to", " sea", ",", " and", " nobody", " knew", " why", ".\n"};
    private static final float[] LOGPROBS = {-0.01f, -0.3f, -0.02f, -1.2f, -0.05f, -2.5f, -4f};
    private static final ServedModel MODEL = new ServedModel("fluent", 1, 1 << 20, WORDS.length, OptionalLong.of(7), 1, "packed");

    private final Vertx vertx = Vertx.vertx();
    private final ServerVerticle verticle;

    FluentServer() throws TimeoutException {
        this(TOKENS_OF_A_VERSION);
    }

    /** @param tokensOfAVersion after which the next version makes the tokens */
    FluentServer(int tokensOfAVersion) throws TimeoutException {
        verticle = new ServerVerticle(TransportConfig.DEFAULT.withAddress("127.0.0.1", 0), new Fluent(tokensOfAVersion),
                () -> Readiness.READY)
                .serving(new ConsoleEndpoints())
                .serving(new DocsEndpoints())
                .serving(loop -> ModelEndpoints.endpoints(() -> MODEL, AdapterNames.NONE));
        vertx.deployVerticle(verticle).await(PATIENCE_S, TimeUnit.SECONDS);
    }

    int port() {
        return verticle.actualPort();
    }

    @Override
    public void close() throws TimeoutException {
        vertx.close().await(PATIENCE_S, TimeUnit.SECONDS);
    }

    private record Fluent(int tokensOfAVersion) implements Engine {
        @Override
        public Generation generate(GenerateRequest request) {
            AtomicBoolean stopped = new AtomicBoolean();
            return new Generation() {
                @Override
                public Flux<TokenEvent> events() {
                    return Flux.generate(() -> -1, (seq, sink) -> {
                        if (seq < 0) {
                            sink.next(new TokenEvent.Accepted(1, 7, 1, "packed", 3));
                        } else if (stopped.get()) {
                            sink.next(new TokenEvent.Stopped(finish(FinishReason.CANCELLED, seq)));
                            sink.complete();
                        } else {
                            boolean last = seq + 1 == request.maxTokens();
                            sink.next(token(seq, last));
                            if (last) {
                                sink.complete();
                            }
                        }
                        return seq + 1;
                    });
                }

                @Override
                public void stop() {
                    stopped.set(true);
                }
            };
        }

        private TokenEvent.Token token(int seq, boolean last) {
            int word = seq % WORDS.length;
            float logprob = LOGPROBS[seq % LOGPROBS.length];
            List<TopLogprob> top = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                top.add(new TopLogprob(i, logprob - i));
            }
            return new TokenEvent.Token(seq, word, WORDS[word], 1L + seq / tokensOfAVersion, logprob, top,
                    last ? finish(FinishReason.LENGTH, seq + 1) : null);
        }

        private static TokenEvent.Finish finish(FinishReason reason, int tokens) {
            return new TokenEvent.Finish(reason, new Usage(3, tokens), new Timing(0.5, 1, 2, 1000));
        }

        @Override
        public Flux<Long> weightsVersions() {
            return Flux.<Long>never().startWith(1L);
        }
    }
}
