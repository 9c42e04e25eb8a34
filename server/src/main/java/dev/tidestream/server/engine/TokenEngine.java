package dev.tidestream.server.engine;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

import dev.tidestream.model.sampling.InvalidSamplingException;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.KvCachePool;
import dev.tidestream.server.scheduler.Scheduler;
import dev.tidestream.server.scheduler.SchedulerStats;
import dev.tidestream.server.scheduler.SequenceRequest;
import dev.tidestream.server.scheduler.TokenObserver;

/**
 * The engine: prompts are tokenized on one thread of their own, {@code tidestream-tokenize}, so that a long one delays neither an
 * event loop nor a decode step; everything after that is the decode thread's.
 */
public final class TokenEngine implements Engine, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TokenEngine.class);

    /** Seeds of our own are whole numbers that JavaScript can hold, so that a browser can send one back. */
    private static final long SEED_MASK = (1L << 53) - 1;

    private final EngineConfig config;
    private final Tokenizer tokenizer;
    private final CurrentEpoch epochs;
    private final LongSupplier nanoClock;
    private final LongSupplier seeds;
    private final Executor intake;
    private final KvCachePool pool;
    private final Scheduler scheduler;
    private final DecodeLoop loop;
    private final int rows; // of the embedding
    private final int vocabularySize; // at most as many: rows behind are padding
    private final int contextLength;
    private final AtomicLong lastStream = new AtomicLong();
    private final ConcurrentHashMap<Long, TokenStream> streams = new ConcurrentHashMap<>();
    private final Sinks.Many<Long> weightsVersions = Sinks.many().replay().latest();
    private volatile boolean closing;

    /**
     * An engine without threads, for tests: {@code loop().doWork()} is called by hand.
     *
     * @param intake where prompts are tokenized; rejects when it is full
     */
    TokenEngine(
            EngineConfig config,
            Tokenizer tokenizer,
            CurrentEpoch epochs,
            LongSupplier nanoClock,
            LongSupplier seeds,
            Executor intake) {
        this(config, tokenizer, epochs, nanoClock, seeds, intake, TokenObserver.NONE, WorkerTeam.sequential());
    }

    private TokenEngine(
            EngineConfig config,
            Tokenizer tokenizer,
            CurrentEpoch epochs,
            LongSupplier nanoClock,
            LongSupplier seeds,
            Executor intake,
            TokenObserver observer,
            WorkerTeam team) {
        this.config = config;
        this.tokenizer = tokenizer;
        this.epochs = epochs;
        this.nanoClock = nanoClock;
        this.seeds = seeds;
        this.intake = intake;
        try (Lease lease = epochs.lease()) {
            LanguageModel model = lease.epoch().model();
            rows = model.vocabularySize();
            vocabularySize = Math.min(tokenizer.usedTokens(), rows);
            contextLength = model.contextLength();
            pool = new KvCachePool(model.kvCacheShape(), config.kvMemoryBytes());
        }
        scheduler = new Scheduler(config.scheduler(), epochs, pool, nanoClock, observer, team);
        loop = new DecodeLoop(scheduler, config.maxQueued(), nanoClock, epochs.stepBreak());
        weightsVersions.emitNext(epochs.weightsVersion(), Sinks.EmitFailureHandler.FAIL_FAST);
        epochs.onPublish(version -> {
            loop.wake(); // streams that follow let go of the epoch before, also those without demand
            Sinks.EmitResult result = weightsVersions.tryEmitNext(version);
            if (result.isFailure() && !closing) {
                log.error("watchers were not told of new weights: weights_version={}, result={}", version, result);
            }
        });
    }

    /**
     * A running engine. The epochs stay the caller's, to be closed after the engine.
     *
     * @param tokenizer of all these epochs
     * @param observer told of every token, on the decode thread
     * @throws IllegalArgumentException if the limits do not fit the model, with the numbers
     */
    public static TokenEngine start(EngineConfig config, Tokenizer tokenizer, CurrentEpoch epochs, TokenObserver observer) {
        return start(config, tokenizer, epochs, observer, WorkerTeam.sequential());
    }

    /**
     * A running engine. The epochs and the team stay the caller's, to be closed after the engine.
     *
     * @param tokenizer of all these epochs
     * @param observer told of every token, on the decode thread
     * @param team shares the sampling of large batches; may be the one that the models compute with
     * @throws IllegalArgumentException if the limits do not fit the model, with the numbers
     */
    public static TokenEngine start(
            EngineConfig config, Tokenizer tokenizer, CurrentEpoch epochs, TokenObserver observer, WorkerTeam team) {
        ThreadPoolExecutor intake = new ThreadPoolExecutor(
                1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(config.maxQueuedPrompts()),
                Thread.ofPlatform().name("tidestream-tokenize").daemon().factory());
        SecureRandom random = new SecureRandom();
        TokenEngine engine =
                new TokenEngine(config, tokenizer, epochs, System::nanoTime, random::nextLong, intake, observer, team);
        engine.loop.start();
        return engine;
    }

    DecodeLoop loop() {
        return loop;
    }

    @Override
    public Flux<TokenEvent> generate(GenerateRequest request) {
        return new Flux<>() {
            @Override
            public void subscribe(CoreSubscriber<? super TokenEvent> subscriber) {
                TokenEngine.this.subscribe(request, subscriber);
            }
        };
    }

    @Override
    public void stop(long stream) {
        TokenStream running = streams.get(stream);
        if (running != null) {
            running.stop();
        }
    }

    @Override
    public Flux<Long> weightsVersions() {
        return weightsVersions.asFlux().distinctUntilChanged().onBackpressureLatest();
    }

    /** A snapshot; any thread. */
    public EngineStats stats() {
        SchedulerStats s = scheduler.stats();
        return new EngineStats(s.running(), s.queued(), pool.usedBytes(), pool.budgetBytes(), s.steps(), s.rows(),
                s.tokensGenerated(), epochs.liveEpochs(), epochs.weightsVersion());
    }

    /** Number of token ids that a request may name, and that are generated: ids are {@code 0 <= id < vocabularySize()}. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /** Whether it has failed for good: running streams have been told, new ones are refused. Any thread. */
    public boolean failed() {
        return loop.failed();
    }

    private void subscribe(GenerateRequest request, CoreSubscriber<? super TokenEvent> subscriber) {
        long arrivalNs = nanoClock.getAsLong();
        long seed = request.sampling().seed().orElseGet(() -> seeds.getAsLong() & SEED_MASK);
        TokenStream stream = new TokenStream(
                lastStream.incrementAndGet(), seed, subscriber, loop::wake, ended -> streams.remove(ended.stream()));
        streams.put(stream.stream(), stream);
        subscriber.onSubscribe(stream);
        try {
            intake.execute(() -> prepare(request, stream, arrivalNs));
        } catch (RejectedExecutionException e) {
            if (closing) {
                stream.failed(ErrorCode.SHUTTING_DOWN, "the server is shutting down");
            } else {
                stream.failed(ErrorCode.BUSY, "too many prompts wait to be tokenized: limit=" + config.maxQueuedPrompts());
            }
        }
    }

    /** The tokenizer thread's part. */
    private void prepare(GenerateRequest request, TokenStream stream, long arrivalNs) {
        if (stream.cancelled()) {
            return;
        }
        if (closing) { // no time is spent on its tokens
            stream.failed(ErrorCode.SHUTTING_DOWN, "the server is shutting down");
            return;
        }
        try {
            SequenceRequest sequence = sequence(request, stream, arrivalNs);
            switch (loop.submit(sequence)) {
                case TAKEN -> { }
                case BUSY -> stream.failed(ErrorCode.BUSY, "too many streams wait: limit=" + config.maxQueued());
                case SHUTTING_DOWN -> stream.failed(ErrorCode.SHUTTING_DOWN, "the server is shutting down");
                case FAILED -> stream.failed(ErrorCode.INTERNAL, "the server has failed; it must be started anew, its log has the details");
            }
        } catch (EngineException e) {
            stream.failed(e.code(), String.valueOf(e.getMessage()));
        } catch (InvalidSamplingException e) {
            stream.failed(ErrorCode.INVALID_VALUE, String.valueOf(e.getMessage()));
        } catch (Throwable e) {
            log.error("prompt could not be prepared: stream={}", stream.stream(), e);
            stream.failed(ErrorCode.INTERNAL, "a fault of the server; its log has the details: stream=" + stream.stream());
        }
    }

    private SequenceRequest sequence(GenerateRequest request, TokenStream stream, long arrivalNs) {
        int[] prompt = promptTokens(request);
        if (prompt.length >= contextLength) {
            throw new EngineException(ErrorCode.PROMPT_TOO_LONG,
                    "prompt too long: tokens=%d, context=%d".formatted(prompt.length, contextLength));
        }
        SamplingOptions o = request.sampling();
        SamplingParams params = new SamplingParams(o.temperature(), o.topK(), o.topP(), o.minP(), o.repetitionPenalty(),
                o.presencePenalty(), o.frequencyPenalty(), o.logitBias(), stream.seed(), request.topLogprobs());
        return new SequenceRequest(
                stream.stream(),
                prompt,
                request.maxTokens(),
                request.weights(),
                new Sampler(params, vocabularySize, prompt),
                tokenizer.newDetokenizer(prompt),
                StopStrings.matcher(request.stop(), tokenizer),
                tokenizer::isEndOfGeneration,
                arrivalNs,
                stream);
    }

    private int[] promptTokens(GenerateRequest request) {
        String text = request.prompt();
        if (text != null) {
            int bytes = text.length() > config.maxPromptBytes()
                    ? text.length()
                    : text.getBytes(StandardCharsets.UTF_8).length;
            if (bytes > config.maxPromptBytes()) {
                throw new EngineException(ErrorCode.PROMPT_TOO_LONG,
                        "prompt too long: bytes=%d, limit=%d".formatted(bytes, config.maxPromptBytes()));
            }
            return tokenizer.encodePrompt(text, request.parseSpecial());
        }
        int[] tokens = request.tokens() == null ? new int[0] : request.tokens().clone();
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= vocabularySize) {
                boolean padding = tokens[i] >= 0 && tokens[i] < rows;
                throw new EngineException(ErrorCode.INVALID_VALUE,
                        "tokens[%d] is outside the vocabulary: token=%d, vocabulary=%d".formatted(i, tokens[i], vocabularySize)
                                + (padding ? "; the model's rows behind it are padding: rows=" + rows : ""));
            }
        }
        return tokens;
    }

    /**
     * Takes no more requests, lets running streams finish for {@link EngineConfig#shutdownGraceNs}, fails the rest, ends the threads
     * and gives the KV memory back. Waits for all of it; again does nothing.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
        }
        weightsVersions.tryEmitComplete();
        if (intake instanceof ExecutorService service) {
            service.shutdown();
        }
        loop.shutdown(nanoClock.getAsLong() + config.shutdownGraceNs());
        try {
            loop.join();
            if (intake instanceof ExecutorService service) { // prompts that it has yet are refused by the loop
                service.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            }
            pool.close();
        } catch (InterruptedException e) {
            log.warn("interrupted while waiting for the threads to end; the KV memory is not freed");
            Thread.currentThread().interrupt();
        }
    }
}
