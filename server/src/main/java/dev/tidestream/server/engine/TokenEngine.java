package dev.tidestream.server.engine;

import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

import dev.tidestream.model.sampling.InvalidSamplingException;
import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.SamplingParams;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.protocol.AdapterRef;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.adapters.ServedAdapters;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.Scheduler;
import dev.tidestream.server.scheduler.SequenceRequest;
import dev.tidestream.server.scheduler.TokenObserver;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.status.StreamStatus;

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
    private final ServedAdapters adapters;
    private final LongSupplier nanoClock;
    private final LongSupplier seeds;
    private final Executor tokenizing;
    private final PromptEncoder prompts;
    private final PromptIntake intake;
    private final KvCachePool pool;
    private final Scheduler scheduler;
    private final DecodeLoop loop;
    private final int vocabularySize; // at most as many as the embedding has rows: rows behind are padding
    private final int contextLength;
    private final Kernels kernels;
    private final AtomicLong lastStream = new AtomicLong();
    private final AtomicLong missedInIntake = new AtomicLong(); // deadlines
    private final Sinks.Many<Long> weightsVersions = Sinks.many().replay().latest();
    private volatile boolean closing;

    /**
     * An engine without threads, for tests: {@code loop().doWork()} is called by hand.
     *
     * @param tokenizing where prompts are tokenized, in order, one at a time; rejects when it is shut down
     */
    TokenEngine(
            EngineConfig config,
            Tokenizer tokenizer,
            CurrentEpoch epochs,
            LongSupplier nanoClock,
            LongSupplier seeds,
            Executor tokenizing) {
        this(config, tokenizer, ChatPrompts.NONE, epochs, ServedAdapters.NONE, new StepBreak(), nanoClock, seeds, tokenizing, TokenObserver.NONE,
                WorkerTeam.sequential());
    }

    /** The same, with breaks that somebody else may ask for. */
    TokenEngine(
            EngineConfig config,
            Tokenizer tokenizer,
            ChatPrompts chats,
            CurrentEpoch epochs,
            ServedAdapters adapters,
            StepBreak breaks,
            LongSupplier nanoClock,
            LongSupplier seeds,
            Executor tokenizing,
            TokenObserver observer,
            WorkerTeam team) {
        this.config = config;
        this.tokenizer = tokenizer;
        this.epochs = epochs;
        this.adapters = adapters;
        this.nanoClock = nanoClock;
        this.seeds = seeds;
        this.tokenizing = tokenizing;
        this.intake = new PromptIntake(config.prompts(), tokenizing);
        try (Lease lease = epochs.lease()) {
            LanguageModel model = lease.epoch().model();
            int rows = model.vocabularySize();
            vocabularySize = Math.min(tokenizer.usedTokens(), rows);
            kernels = model.kernels();
            contextLength = model.contextLength();
            pool = new KvCachePool(model.kvCacheShape(), config.kvMemoryBytes(), config.prefixShare());
            prompts = new PromptEncoder(tokenizer, chats, vocabularySize, rows, model.contextLength(), config.prompts().maxPromptBytes(),
                    pool.budgetPositions());
        }
        scheduler = new Scheduler(config.scheduler(), epochs, pool, nanoClock, observer, team);
        loop = new DecodeLoop(scheduler, config.queue(), nanoClock, breaks);
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
     * A running engine that nobody builds beside. The epochs stay the caller's, to be closed after the engine.
     *
     * @param tokenizer of all these epochs
     * @param observer told of every token, on the decode thread
     * @throws IllegalArgumentException if the limits do not fit the model, with the numbers
     */
    public static TokenEngine start(EngineConfig config, Tokenizer tokenizer, CurrentEpoch epochs, TokenObserver observer) {
        return start(config, tokenizer, ChatPrompts.NONE, epochs, ServedAdapters.NONE, new StepBreak(), observer, WorkerTeam.sequential());
    }

    /**
     * A running engine. The epochs and the team stay the caller's, to be closed after the engine.
     *
     * @param tokenizer of all these epochs
     * @param chats makes prompts of conversations
     * @param adapters that streams may ask for
     * @param breaks between two steps, for whoever builds the next epoch
     * @param observer told of every token, on the decode thread
     * @param team shares the sampling of large batches; may be the one that the models compute with
     * @throws IllegalArgumentException if the limits do not fit the model, with the numbers
     */
    public static TokenEngine start(
            EngineConfig config,
            Tokenizer tokenizer,
            ChatPrompts chats,
            CurrentEpoch epochs,
            ServedAdapters adapters,
            StepBreak breaks,
            TokenObserver observer,
            WorkerTeam team) {
        ThreadPoolExecutor tokenizing = new ThreadPoolExecutor(
                1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(config.prompts().maxPrompts()),
                Thread.ofPlatform().name("tidestream-tokenize").daemon().factory());
        SecureRandom random = new SecureRandom();
        TokenEngine engine =
                new TokenEngine(config, tokenizer, chats, epochs, adapters, breaks, System::nanoTime, random::nextLong, tokenizing, observer, team);
        engine.loop.start();
        return engine;
    }

    DecodeLoop loop() {
        return loop;
    }

    @Override
    public Generation generate(GenerateRequest request) {
        long seed = request.sampling().seed().orElseGet(() -> seeds.getAsLong() & SEED_MASK);
        TokenStream stream = new TokenStream(lastStream.incrementAndGet(), seed, request.options().trace(), loop::wake);
        long arrivalNs = nanoClock.getAsLong(); // a deadline counts while the stream waits to be begun
        return new StreamGeneration(stream, () -> begin(request, stream, arrivalNs));
    }

    @Override
    public Flux<Long> weightsVersions() {
        return weightsVersions.asFlux().distinctUntilChanged().onBackpressureLatest();
    }

    /** A snapshot; any thread. */
    public EngineStats stats() {
        return new EngineStats(scheduler.stats().withMissedBefore(missedInIntake.get()), intake.prompts(), intake.bytes(), pool.stats(),
                epochs.liveEpochs(), epochs.weightsVersion());
    }

    /** All streams that the scheduler has, at the end of a step that is to come; to be waited for, by any thread but the decode thread. */
    public CompletableFuture<List<StreamStatus>> streams() {
        return loop.streams();
    }

    /** Number of token ids that a request may name, and that are generated: ids are {@code 0 <= id < vocabularySize()}. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /** Most tokens of a stream that names no limit of its own: {@link EngineConfig#defaultMaxTokens}. */
    public int defaultMaxTokens(int promptTokens) {
        return config.defaultMaxTokens(pool.budgetPositions(), contextLength, promptTokens);
    }

    /**
     * Takes other limits of what waits for a slot, of what is without demand and of one connection's slots; the rest of the configuration
     * is part of what was built. Any thread; in force before the next step.
     */
    public void reconfigure(EngineConfig newer) {
        loop.reconfigure(newer.scheduler());
    }

    /** Whether it has failed for good: running streams have been told, new ones are refused. Any thread. */
    public boolean failed() {
        return loop.failed();
    }

    private void begin(GenerateRequest request, TokenStream stream, long arrivalNs) {
        Party party = new Party(request.account(), request.connection());
        try {
            intake.offer(party, prompts.requireFits(request), () -> prepare(request, stream, arrivalNs))
                    .ifPresent(full -> stream.failed(ErrorCode.BUSY, full));
        } catch (EngineException e) { // it can never fit; nobody spends time on its tokens
            stream.failed(e.code(), String.valueOf(e.getMessage()));
        } catch (RejectedExecutionException e) {
            if (closing) {
                stream.failed(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
            } else {
                stream.failed(ErrorCode.BUSY, "too many prompts wait to be tokenized: limit=" + config.prompts().maxPrompts());
            }
        }
    }

    /** The tokenizer thread's part. */
    private void prepare(GenerateRequest request, TokenStream stream, long arrivalNs) {
        if (stream.settle()) {
            return;
        }
        if (closing) { // no time is spent on its tokens
            stream.failed(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
            return;
        }
        long waitedMs = TimeUnit.NANOSECONDS.toMillis(nanoClock.getAsLong() - arrivalNs);
        if (request.options().urgency().hasDeadline() && waitedMs >= request.options().urgency().deadlineMs()) {
            missedInIntake.incrementAndGet();
            stream.failed(ErrorCode.DEADLINE_EXCEEDED, "not done in time: deadline_ms=%d, waited_ms=%d, stream=%d"
                    .formatted(request.options().urgency().deadlineMs(), waitedMs, stream.stream()));
            return;
        }
        try {
            ServedAdapter adapter = adapter(request, stream);
            SequenceRequest plain = sequence(request, stream, arrivalNs);
            SequenceRequest sequence = adapter == null ? plain : plain.withAdapter(adapter);
            switch (loop.submit(sequence)) {
                case TAKEN -> { }
                case BUSY -> stream.failed(ErrorCode.BUSY, "too many streams wait: limit=%d, limit_bytes=%d"
                        .formatted(loop.limits().maxQueued(), loop.limits().maxBytes()));
                case SHUTTING_DOWN -> stream.failed(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
                case FAILED -> stream.failed(ErrorCode.INTERNAL, "the server has failed; it must be started anew, its log has the details");
            }
        } catch (EngineException e) {
            stream.failed(e.code(), String.valueOf(e.getMessage()));
        } catch (InvalidSamplingException e) {
            stream.failed(ErrorCode.INVALID_VALUE, String.valueOf(e.getMessage()));
        } catch (Throwable e) {
            log.error("prompt could not be prepared: stream={}", stream.stream(), e);
            stream.failed(ErrorCode.INTERNAL, ServerTexts.FAULT + ": stream=" + stream.stream());
        }
    }

    /** What the request asks for by name; the scheduler takes the lease. */
    private @Nullable ServedAdapter adapter(GenerateRequest request, TokenStream stream) {
        String name = request.options().adapter();
        if (name == null) {
            return null;
        }
        if (request.options().receipt()) {
            throw new EngineException(
                    ErrorCode.INVALID_VALUE, "receipt does not go with adapter: receipts are of streams of the model alone: adapter=" + name);
        }
        ServedAdapter served = adapters.find(name).orElseThrow(() -> new EngineException(
                ErrorCode.UNKNOWN_ADAPTER, "no adapter of this name is served: adapter=" + name));
        String needed = request.continuation().adapterSha256();
        if (needed != null && !needed.equals(served.sha256())) {
            throw new EngineException(ErrorCode.VERSION_GONE,
                    "the adapter of the stream is not served any more: adapter=%s, sha256=%s".formatted(name, needed));
        }
        stream.computedWith(new AdapterRef(name, served.sha256()));
        return served;
    }

    private SequenceRequest sequence(GenerateRequest request, TokenStream stream, long arrivalNs) {
        ChatPrompts.Prompt made = prompts.encode(request);
        int[] prompt = made.tokens();
        stream.prepared(made.at(), request.options().receipt() ? new EvidenceBook(request, stream.seed(), made) : null);
        SamplingOptions o = request.sampling();
        SamplingParams params = new SamplingParams(o.temperature(), o.topK(), o.topP(), o.minP(), o.repetitionPenalty(),
                o.presencePenalty(), o.frequencyPenalty(), o.logitBias(), stream.seed(), request.topLogprobs());
        Continuation from = request.continuation();
        if (epochs.weightsVersion() < from.atLeast()) {
            throw new EngineException(ErrorCode.VERSION_NOT_YET, "the weights are not as new as that: min_version=%d, newest=%d"
                    .formatted(from.atLeast(), epochs.weightsVersion()));
        }
        Sampler sampler = new Sampler(kernels, params, vocabularySize, prompt);
        sampler.goOnAfter(from.generated());
        IncrementalDetokenizer detokenizer = tokenizer.newDetokenizer(prompt);
        StopMatcher stops = StopStrings.matcher(request.stop(), tokenizer);
        for (int token : from.generated()) { // whose text has been given out before
            stops.append(detokenizer.append(token));
        }
        return new SequenceRequest(
                stream.stream(),
                new Party(request.account(), request.connection()),
                prompt,
                request.maxTokens(),
                request.promptLogprobs(),
                request.weights(),
                sampler,
                detokenizer,
                stops,
                tokenizer::isEndOfGeneration,
                from.generated(),
                from.weightsVersion(),
                request.options().urgency(),
                null,
                prompts.memory(request),
                arrivalNs,
                stream);
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
        if (tokenizing instanceof ExecutorService service) {
            service.shutdown();
        }
        loop.shutdown(nanoClock.getAsLong() + config.shutdownGraceNs());
        try {
            loop.join();
            if (tokenizing instanceof ExecutorService service) { // prompts that it has yet are refused by the loop
                service.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
            }
            pool.close();
        } catch (InterruptedException e) {
            log.warn("interrupted while waiting for the threads to end; the KV memory is not freed");
            Thread.currentThread().interrupt();
        }
    }
}
