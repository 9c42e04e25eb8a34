package dev.tidestream.server.engine;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * An engine whose streams with a receipt begin when one can be issued at their end: the first one of a process waits until the model
 * file has been read. All others begin at once.
 */
public final class WaitingEngine implements Engine {
    private final Engine engine;
    private final Supplier<CompletableFuture<?>> ready;

    /** @param ready completes when receipts can be issued without waiting; asked for each stream with one */
    public WaitingEngine(Engine engine, Supplier<CompletableFuture<?>> ready) {
        this.engine = engine;
        this.ready = ready;
    }

    @Override
    public Generation generate(GenerateRequest request) {
        Generation generation = engine.generate(request);
        if (!request.options().receipt()) {
            return generation;
        }
        CompletableFuture<?> awaited = ready.get();
        return awaited.isDone() && !awaited.isCompletedExceptionally() ? generation : new Waiting(generation, awaited);
    }

    @Override
    public Flux<Long> weightsVersions() {
        return engine.weightsVersions();
    }

    /** One that has to wait. A stop that comes meanwhile is kept for it. */
    private static final class Waiting implements Generation {
        private final Generation generation;
        private final CompletableFuture<?> awaited;
        private volatile boolean stopped;

        Waiting(Generation generation, CompletableFuture<?> awaited) {
            this.generation = generation;
            this.awaited = awaited;
        }

        @Override
        public Flux<TokenEvent> events() {
            return Mono.fromFuture(awaited, true).thenMany(Flux.defer(generation::events).doOnSubscribe(begun -> {
                if (stopped) {
                    generation.stop();
                }
            }));
        }

        @Override
        public void stop() {
            stopped = true;
            generation.stop();
        }
    }
}
