package dev.tidestream.server.scheduler;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.sampling.InvalidLogitsException;
import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;

/**
 * Continuous batching. Sequences join and leave between steps; a step is at most one forward pass per epoch.
 *
 * <p>What it keeps true:
 * <ul>
 *   <li><b>Demand.</b> A sequence has rows in a step only if its client can take what comes of it. One without demand keeps its
 *       place for a bounded time, and costs nothing.
 *   <li><b>Running streams flow.</b> Every decoding sequence with demand has a row in every step; prompts share what is left, in
 *       chunks, oldest first, so a long prompt delays a token by a chunk and not by itself.
 *   <li><b>First come, first served.</b> Admission takes the head of the queue or nobody: small requests never starve a large one.
 *   <li><b>No surprise half-way.</b> Admission reserves KV blocks for the whole sequence.
 *   <li><b>Faults stay where they happen.</b> A failed pass ends the sequences of that pass, failed sampling its own sequence.
 * </ul>
 * The method is iteration-level scheduling (Yu et al., "Orca", OSDI 2022) with chunked prefill (Agrawal et al., "Sarathi-Serve",
 * OSDI 2024). One thread; except {@link #stats}.
 */
public final class Scheduler {
    private static final Logger log = LoggerFactory.getLogger(Scheduler.class);

    private final SchedulerConfig config;
    private final CurrentEpoch epochs;
    private final KvCachePool pool;
    private final LongSupplier nanoClock;
    private final TokenObserver observer;
    private final int vocabularySize;
    private final int contextLength;
    private final int maxRows;
    private final Draws draws;

    private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
    private final List<Sequence> running = new ArrayList<>(); // in order of admission
    private final List<Sequence> stopping = new ArrayList<>(); // released; their last event waits for demand
    private float[] logits = {}; // (most rows so far, vocabulary)
    private boolean anyToken; // was ever made
    private long nextTimeoutNs = Long.MAX_VALUE;
    private long steps;
    private long rows;
    private long tokensGenerated;
    private volatile SchedulerStats stats = SchedulerStats.NONE;

    /**
     * @param epochs all of one vocabulary, context length and KV-cache shape
     * @param nanoClock monotonic
     * @throws IllegalArgumentException if a step could not give every running sequence a row
     */
    public Scheduler(SchedulerConfig config, CurrentEpoch epochs, KvCachePool pool, LongSupplier nanoClock) {
        this(config, epochs, pool, nanoClock, TokenObserver.NONE, WorkerTeam.sequential());
    }

    /**
     * @param epochs all of one vocabulary, context length and KV-cache shape
     * @param nanoClock monotonic
     * @param observer told of every token
     * @param team shares the sampling of large batches, while no forward pass runs
     * @throws IllegalArgumentException if a step could not give every running sequence a row
     */
    public Scheduler(
            SchedulerConfig config,
            CurrentEpoch epochs,
            KvCachePool pool,
            LongSupplier nanoClock,
            TokenObserver observer,
            WorkerTeam team) {
        this.observer = observer;
        this.config = config;
        this.epochs = epochs;
        this.pool = pool;
        this.nanoClock = nanoClock;
        try (Lease lease = epochs.lease()) {
            LanguageModel model = lease.epoch().model();
            vocabularySize = model.vocabularySize();
            contextLength = model.contextLength();
            maxRows = model.maxRows();
        }
        draws = new Draws(team, vocabularySize);
        if (config.maxSequences() > maxRows || (long) config.maxSequences() * vocabularySize > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("too many sequences for one step: max_sequences=%d, max_rows=%d, vocabulary=%d"
                    .formatted(config.maxSequences(), maxRows, vocabularySize));
        }
    }

    /** Puts a request in the queue, or refuses it by {@link SequenceClient#failed}. */
    public void submit(SequenceRequest request) {
        SequenceClient client = request.client();
        int prompt = request.prompt().length;
        if (prompt == 0 || prompt >= contextLength) {
            client.failed(
                    prompt == 0 ? ErrorCode.INVALID_VALUE : ErrorCode.PROMPT_TOO_LONG,
                    prompt == 0 ? "prompt has no tokens: tokens=0" : "prompt too long: tokens=%d, context=%d, room for at least 1 token is needed"
                            .formatted(prompt, contextLength));
            return;
        }
        int positions = Math.min(contextLength, (int) Math.min(Integer.MAX_VALUE, (long) prompt + request.maxTokens()));
        Optional<KvReservation.NeverFits> never = pool.neverFits(positions);
        if (never.isPresent()) {
            client.failed(ErrorCode.PROMPT_TOO_LONG, never.get().message());
            return;
        }
        int queued = waiting.size() + stopping.size();
        if (queued >= config.maxQueued()) {
            client.failed(ErrorCode.BUSY, "waiting queue is full: queued=%d, limit=%d, running=%d"
                    .formatted(queued, config.maxQueued(), running.size()));
            return;
        }
        waiting.add(new Sequence(request, epochs.lease(), contextLength));
    }

    /**
     * One step: who has left goes, who fits comes, everybody with demand gets rows.
     *
     * @return rows computed; 0 if nothing can be done until a client acts or {@link #untilTimeoutNs} has passed
     */
    public int step() {
        long nowNs = nanoClock.getAsLong();
        nextTimeoutNs = Long.MAX_VALUE;
        sweep(waiting, nowNs);
        sweep(running, nowNs);
        sweepStopping(nowNs);
        admit(nowNs);
        int stepRows = 0;
        for (Batch batch : compose()) {
            stepRows += batch.rows();
            run(batch);
        }
        rows += stepRows;
        stats = new SchedulerStats(running.size(), waiting.size(), steps, rows, tokensGenerated);
        return stepRows;
    }

    /** Nanoseconds from the last step until some sequence without demand has to go; {@code Long.MAX_VALUE} if there is none. */
    public long untilTimeoutNs() {
        return nextTimeoutNs;
    }

    /** Whether no sequence is left. */
    public boolean isEmpty() {
        return waiting.isEmpty() && running.isEmpty() && stopping.isEmpty();
    }

    /** Fails every sequence there is; one whose memory or answer makes trouble keeps no other from its answer. */
    public void failAll(ErrorCode code, String message) {
        List<Sequence> all = new ArrayList<>(waiting);
        all.addAll(running);
        all.addAll(stopping);
        waiting.clear();
        running.clear();
        stopping.clear();
        for (Sequence sequence : all) {
            fail(sequence, code, message);
        }
        stats = new SchedulerStats(0, 0, steps, rows, tokensGenerated);
    }

    /** As of the end of the last step; any thread. */
    public SchedulerStats stats() {
        return stats;
    }

    private void sweep(Collection<Sequence> sequences, long nowNs) {
        for (Iterator<Sequence> all = sequences.iterator(); all.hasNext(); ) {
            Sequence sequence = all.next();
            SequenceClient client = sequence.client();
            if (client.cancelled()) {
                all.remove();
                sequence.release(pool);
            } else if (client.stopRequested()) {
                all.remove();
                stopping.add(sequence);
                sequence.release(pool);
            } else if (sequence.admitted() && timedOut(sequence, nowNs)) {
                all.remove();
                sequence.release(pool);
            } else {
                sequence.follow(epochs);
                sequence.announce();
            }
        }
    }

    private void sweepStopping(long nowNs) {
        for (Iterator<Sequence> all = stopping.iterator(); all.hasNext(); ) {
            Sequence sequence = all.next();
            if (sequence.client().cancelled()) {
                all.remove();
            } else if (sequence.client().demand() > 0) {
                all.remove();
                sequence.client().stopped(sequence.ending(FinishReason.CANCELLED, nowNs));
            } else if (timedOut(sequence, nowNs)) {
                all.remove();
            }
        }
    }

    /** Fails a sequence that has been without demand for too long; else remembers when that would be. */
    private boolean timedOut(Sequence sequence, long nowNs) {
        if (!sequence.starving(nowNs)) {
            return false;
        }
        long leftNs = config.creditTimeoutNs() - sequence.starvedNs(nowNs);
        if (leftNs > 0) {
            nextTimeoutNs = Math.min(nextTimeoutNs, leftNs);
            return false;
        }
        sequence.client().failed(ErrorCode.CREDIT_TIMEOUT, "no credit for too long: limit_ms=%d, stream=%d"
                .formatted(config.creditTimeoutNs() / 1_000_000, sequence.stream()));
        return true;
    }

    private void admit(long nowNs) {
        while (!waiting.isEmpty() && running.size() < config.maxSequences()) {
            Sequence head = waiting.element();
            try {
                switch (pool.reserve(head.positions())) {
                    case KvReservation.Granted granted -> {
                        waiting.remove();
                        running.add(head);
                        head.admit(granted.cache(), nowNs);
                        nextTimeoutNs = Math.min(nextTimeoutNs, config.creditTimeoutNs());
                    }
                    case KvReservation.NotNow _ -> {
                        return;
                    }
                    case KvReservation.NeverFits never -> throw new IllegalStateException(never.message());
                }
            } catch (RuntimeException | OutOfMemoryError e) {
                log.error("no KV cache for a sequence: stream={}, positions={}", head.stream(), head.positions(), e);
                waiting.remove(head);
                fail(head);
            }
        }
    }

    /** Decode rows first, then prompts with what is left. */
    private List<Batch> compose() {
        List<Batch> batches = new ArrayList<>(1);
        int decodeRows = 0;
        for (Sequence sequence : running) {
            if (sequence.decoding() && sequence.client().demand() > 0) {
                batchOf(batches, sequence).add(sequence, sequence.slice(1));
                decodeRows++;
            }
        }
        int left = maxRows - decodeRows;
        if (decodeRows > 0) {
            left = Math.min(left, config.prefillChunkRows());
        }
        for (Sequence sequence : running) {
            if (left > 0 && !sequence.decoding() && sequence.client().demand() > 0) {
                int count = Math.min(left, sequence.pendingRows());
                batchOf(batches, sequence).add(sequence, sequence.slice(count));
                left -= count;
            }
        }
        return batches;
    }

    private static Batch batchOf(List<Batch> batches, Sequence sequence) {
        for (Batch batch : batches) {
            if (batch.epoch().equals(sequence.lease().epoch())) {
                return batch;
            }
        }
        Batch batch = new Batch(sequence.lease().epoch());
        batches.add(batch);
        return batch;
    }

    private void run(Batch batch) {
        try {
            int needed = batch.logitsRows() * vocabularySize;
            if (logits.length < needed) {
                logits = new float[needed];
            }
            int written = batch.epoch().model().forward(batch.slices(), logits);
            if (written != batch.logitsRows()) {
                throw new IllegalStateException(
                        "model wrote other rows of logits: rows=%d, expected=%d".formatted(written, batch.logitsRows()));
            }
        } catch (Throwable e) {
            log.error("forward pass failed: sequences={}, rows={}, weights_version={}",
                    batch.sequences().size(), batch.rows(), batch.epoch().weightsVersion(), e);
            for (Sequence sequence : batch.sequences()) {
                fail(sequence);
            }
            return;
        }
        steps++;
        deliver(batch);
    }

    private void deliver(Batch batch) {
        long nowNs = nanoClock.getAsLong();
        draws.drawAll(batch.drawing(), logits);
        int row = 0;
        for (int i = 0; i < batch.sequences().size(); i++) {
            Sequence sequence = batch.sequences().get(i);
            switch (batch.slices().get(i).logits()) {
                case NONE -> sequence.reportProgress(nowNs, config.progressIntervalNs());
                case LAST -> deliverToken(sequence, row++, nowNs);
                case ALL -> throw new IllegalStateException("a scheduled slice never asks for all logits");
            }
        }
    }

    private void deliverToken(Sequence sequence, int row, long nowNs) {
        tokensGenerated++;
        Sample sample = draws.sample(row);
        if (sample == null) {
            failWithoutToken(sequence, draws.failure(row));
            return;
        }
        anyToken = true;
        try {
            if (sequence.take(sample, nowNs, observer)) {
                end(sequence);
            }
        } catch (Throwable e) {
            log.error("a token was not delivered: stream={}", sequence.stream(), e);
            fail(sequence);
        }
    }

    private void failWithoutToken(Sequence sequence, @Nullable Throwable failure) {
        if (failure instanceof InvalidLogitsException invalid) { // no fault of the program: the weights make such logits
            String message = "the model computes no usable logits: %s, weights_version=%d"
                    .formatted(invalid.getMessage(), sequence.lease().epoch().weightsVersion());
            if (anyToken) { // else it is told to whoever has just loaded the model, and says it
                log.error("no token from logits: stream={}: {}", sequence.stream(), message);
            }
            running.remove(sequence);
            fail(sequence, ErrorCode.INTERNAL, message);
        } else {
            log.error("no token from logits: stream={}", sequence.stream(), failure);
            fail(sequence);
        }
    }

    private void fail(Sequence sequence) {
        running.remove(sequence);
        fail(sequence, ErrorCode.INTERNAL, "a fault of the server; its log has the details: stream=%d".formatted(sequence.stream()));
    }

    /** Answers, then gives up what it holds; throws nothing, since others wait for their answers. */
    private void fail(Sequence sequence, ErrorCode code, String message) {
        try {
            if (!sequence.client().cancelled()) {
                sequence.client().failed(code, message);
            }
        } catch (RuntimeException | Error e) {
            log.error("a stream could not be told that it failed: stream={}, code={}", sequence.stream(), code, e);
        }
        try {
            sequence.release(pool);
        } catch (RuntimeException | Error e) {
            log.error("what a stream held was not given back: stream={}", sequence.stream(), e);
        }
    }

    private void end(Sequence sequence) {
        running.remove(sequence);
        sequence.release(pool);
    }
}
