package dev.tidestream.server.cli;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

import reactor.core.publisher.Flux;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEvent;

/**
 * Streams for nobody, so that the first client does not pay for compiling: the kernels first ({@link KernelWarmUp}), then all
 * that lies
 * between a request and its tokens, with a stream alone and several at once, until a time budget is used up.
 */
final class WarmUp {
    private static final long BUDGET_NS = Duration.ofMillis(500).toNanos();
    private static final int LEAST_ROUNDS = 2;
    private static final int TOGETHER = 4;
    private static final int PROMPT_TOKENS = 4;
    private static final int MAX_TOKENS = 3;

    private WarmUp() {}

    static void run(RunningModel running) {
        running.awaitKernels();
        SplittableRandom random = new SplittableRandom(1);
        long startNs = System.nanoTime();
        int round = 0;
        do {
            int streams = round++ % 2 == 0 ? 1 : TOGETHER;
            Flux<TokenEvent> all = Flux.range(0, streams)
                    .flatMap(i -> running.engine().generate(request(running, random)).takeUntil(WarmUp::isLast), streams);
            all.blockLast();
        } while (round < LEAST_ROUNDS || System.nanoTime() - startNs < BUDGET_NS);
    }

    private static boolean isLast(TokenEvent event) {
        return event instanceof TokenEvent.Token token && token.finish() != null;
    }

    private static GenerateRequest request(RunningModel running, SplittableRandom random) {
        int promptTokens = Math.min(PROMPT_TOKENS, running.config().contextLength() / 2);
        int[] tokens = random.ints(promptTokens, 0, running.config().vocabularySize()).toArray();
        return new GenerateRequest(null, tokens, MAX_TOKENS, SamplingOptions.DEFAULT, List.of(), -1, WeightsPolicy.PIN);
    }
}
