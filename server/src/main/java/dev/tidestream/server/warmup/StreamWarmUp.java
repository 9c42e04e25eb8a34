package dev.tidestream.server.warmup;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

import reactor.core.publisher.Flux;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.engine.TokenEvent;

/**
 * Streams for nobody, so that the first client does not pay for compiling: the kernels first ({@link KernelWarmUp}), then all
 * that lies between a request and its tokens, with a stream alone and several at once, until a time budget is used up.
 */
public final class StreamWarmUp {
    /** Streams at once in every other round. */
    static final int TOGETHER = 4;

    private static final long BUDGET_NS = Duration.ofMillis(500).toNanos();
    private static final int LEAST_ROUNDS = 2;
    private static final int PROMPT_TOKENS = 4;
    private static final int MAX_TOKENS = 3;
    private static final int DEMAND = 16;

    private final TokenEngine engine;
    private final int promptTokens;
    private final int maxTokens;
    private final SplittableRandom random = new SplittableRandom(1);
    private int round;

    /**
     * @param blueprint of the engine's model
     * @param promptTokens of each stream, at most half of the context
     * @param maxTokens of each stream
     */
    StreamWarmUp(TokenEngine engine, Blueprint blueprint, int promptTokens, int maxTokens) {
        this.engine = engine;
        this.promptTokens = Math.min(promptTokens, blueprint.contextLength() / 2);
        this.maxTokens = Math.min(maxTokens, blueprint.contextLength() - this.promptTokens);
    }

    /**
     * Runs streams for half a second, once kernels are compiled.
     *
     * @param blueprint of the engine's model
     * @throws dev.tidestream.server.engine.EngineException if the model makes no token
     */
    public static void run(TokenEngine engine, Blueprint blueprint) {
        StreamWarmUp warmUp = new StreamWarmUp(engine, blueprint, PROMPT_TOKENS, MAX_TOKENS);
        long startNs = System.nanoTime();
        do {
            warmUp.round();
        } while (warmUp.round < LEAST_ROUNDS || System.nanoTime() - startNs < BUDGET_NS);
    }

    /**
     * Runs one stream in even rounds and several in odd ones; some are cancelled by their client. In half of the rounds demand is
     * bounded. Returns when all have ended.
     */
    void round() {
        streams().blockLast();
    }

    /**
     * The same.
     *
     * @param meanwhile is done while they run, unless they end before
     */
    void round(Runnable meanwhile) {
        Flux<TokenEvent> running = streams().replay().autoConnect(0);
        meanwhile.run();
        running.blockLast();
    }

    private Flux<TokenEvent> streams() {
        int now = round++;
        int streams = now % 2 == 0 ? 1 : TOGETHER;
        boolean bounded = now % 4 == 0 || now % 4 == 3; // so the first two rounds differ in this as well
        return Flux.range(0, streams).flatMap(i -> stream(i, (now + i) % 3), streams, bounded ? DEMAND : Integer.MAX_VALUE);
    }

    /** Uses three classes of subscribers: with one, C2 would inline it, and compile a step again for the first client's class. */
    private Flux<TokenEvent> stream(int i, int subscriber) {
        Flux<TokenEvent> tokens = engine.generate(request(i)).events();
        return switch (subscriber) {
            case 0 -> tokens.takeUntil(StreamWarmUp::isLast);
            case 1 -> tokens.take(maxTokens / 2);
            default -> tokens.hide();
        };
    }

    private static boolean isLast(TokenEvent event) {
        return event instanceof TokenEvent.Token token && token.finish() != null;
    }

    private GenerateRequest request(int i) {
        int[] tokens = random.ints(promptTokens, 0, engine.vocabularySize()).toArray();
        WeightsPolicy policy = i % 2 == 0 ? WeightsPolicy.PIN : WeightsPolicy.FOLLOW;
        return new GenerateRequest(null, tokens, maxTokens, SamplingOptions.DEFAULT, List.of(), -1, policy);
    }
}
