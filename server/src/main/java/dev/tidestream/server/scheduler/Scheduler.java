package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.sampling.InvalidLogitsException;
import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.fair.Turns;
import dev.tidestream.server.scheduler.kv.KvCachePool;
import dev.tidestream.server.scheduler.kv.OldPrefixes;
import dev.tidestream.server.scheduler.status.SchedulerStats;
import dev.tidestream.server.scheduler.status.StreamStatus;

/**
 * Continuous batching. Sequences join and leave between steps; a step is at most one forward pass per epoch.
 *
 * <p>A sequence is in one of four places: the {@link AdmissionQueue} (it has demand and waits for a slot), the {@link Slots} (it
 * runs), the {@link Parking} (it has neither demand nor a slot), or among those that have ended but for their last event.
 *
 * <p>What it keeps true:
 * <ul>
 *   <li><b>Demand.</b> A sequence has rows in a step only if its client can take what comes of it. One without demand gives its
 *       slot back at once and keeps its KV blocks while nobody needs them, and goes on with the same bits wherever it was:
 *       nothing of a token depends on them.
 *   <li><b>Running streams flow.</b> Every decoding sequence with a slot and demand has a row in every step; prompts share what
 *       is left, in chunks ({@link BatchComposer}), so a long prompt delays a token by a chunk and not by itself.
 *   <li><b>Clients share.</b> Slots and rows of prompts go round the accounts by tokens, and round the connections of each;
 *       within a connection streams come in order of arrival ({@link Admission}, {@link BatchComposer}). Batch streams have what
 *       interactive ones leave, and a share.
 *   <li><b>Time is kept.</b> A stream whose deadline has passed ends before the next step ({@link Timeouts}).
 *   <li><b>Memory is lent as it is filled.</b> A sequence gets KV blocks when it reaches their positions, or those that others
 *       have filled with the same tokens; the oldest that runs always gets them ({@link KvLending}).
 *   <li><b>Faults stay where they happen.</b> A failed pass ends the sequences of that pass, failed sampling its own sequence.
 * </ul>
 * The method is iteration-level scheduling (Yu et al., "Orca", OSDI 2022) with chunked prefill (Agrawal et al., "Sarathi-Serve",
 * OSDI 2024); KV blocks that were taken are computed anew (Kwon et al., "PagedAttention", SOSP 2023). One thread; except
 * {@link #stats}.
 */
public final class Scheduler {
    private static final Logger log = LoggerFactory.getLogger(Scheduler.class);

    private final SchedulerConfig.Live limits;
    private final CurrentEpoch epochs;
    private final KvCachePool pool;
    private final LongSupplier nanoClock;
    private final TokenObserver observer;
    private final int vocabularySize;
    private final SequenceIntake intake;
    private final BatchSampler batchSampler;
    private final BatchComposer composer;

    private final AdmissionQueue waiting;
    private final Slots running;
    private final Parking parked;
    private final Timeouts timeouts;
    private final KvLending lending;
    private final Admission admission;
    private final OldPrefixes oldPrefixes;
    private final List<Sequence> stopping = new ArrayList<>(); // released; their last event waits for demand
    private float[] logits = {}; // (most rows so far, vocabulary)
    private boolean anyToken; // was ever made
    private long steps;
    private long rows;
    private long recomputedRows;
    private long slotsGivenBack;
    private long tokensGenerated;
    private volatile SchedulerStats stats = SchedulerStats.NONE;

    /** One that tells nobody of tokens, and samples alone. */
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
        this.limits = new SchedulerConfig.Live(config);
        this.epochs = epochs;
        this.pool = pool;
        this.nanoClock = nanoClock;
        int maxRows;
        try (Lease lease = epochs.lease()) {
            LanguageModel model = lease.epoch().model();
            vocabularySize = model.vocabularySize();
            intake = new SequenceIntake(epochs, pool, model.contextLength());
            maxRows = model.maxRows();
        }
        batchSampler = new BatchSampler(team, vocabularySize);
        Turns turns = new Turns(limits::batchShare);
        waiting = new AdmissionQueue(turns);
        running = new Slots(turns);
        parked = new Parking(limits);
        timeouts = new Timeouts(limits, this::fail);
        oldPrefixes = new OldPrefixes(pool);
        lending = new KvLending(pool, waiting, running, parked);
        composer = new BatchComposer(lending, maxRows, config.prefillChunkRows(), limits::batchShare);
        admission = new Admission(limits, pool, waiting, running, lending);
        long mostLogits = ((long) config.maxSequences() + BatchComposer.MAX_SCORED_ROWS) * vocabularySize;
        if (config.maxSequences() > maxRows || mostLogits > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("too many sequences for one step: max_sequences=%d, max_rows=%d, vocabulary=%d"
                    .formatted(config.maxSequences(), maxRows, vocabularySize));
        }
    }

    /** Takes other limits of what waits, stalls and is of one connection, before the next step; what is there already may stay. */
    public void reconfigure(SchedulerConfig newer) {
        limits.become(newer);
    }

    /** Puts a request in the queue, or refuses it by {@link SequenceClient#failed}. */
    public void submit(SequenceRequest request) {
        Sequence sequence = intake.sequence(request);
        timeouts.begin(nanoClock.getAsLong());
        if (sequence == null || timeouts.late(sequence)) {
            return;
        }
        String queueFull = waiting.full(sequence, limits.queue(), stopping.size(), running.size());
        String full = queueFull == null ? parked.full(sequence.standing().party().connection()) : queueFull;
        if (full == null) {
            waiting.add(sequence);
            oldPrefixes.joined(sequence.lease().epoch().weightsVersion());
        } else {
            fail(sequence, ErrorCode.BUSY, full);
        }
    }

    /**
     * One step: who has left goes, who fits comes, everybody with a slot and demand gets rows.
     *
     * @return rows computed, and sequences that failed for want of memory, which others have then; 0 if nothing can be done until a
     *     client acts or {@link #untilTimeoutNs} has passed
     */
    public int step() {
        long nowNs = nanoClock.getAsLong();
        timeouts.begin(nowNs);
        parked.sweep(sequence -> leaves(sequence) || timeouts.over(sequence) || goesOn(sequence));
        waiting.sweep(sequence -> leaves(sequence) || timeouts.over(sequence) || stalls(sequence));
        int alreadyParked = parked.size();
        running.sweep(sequence -> leaves(sequence) || timeouts.over(sequence) || stalls(sequence));
        slotsGivenBack += parked.size() - alreadyParked;
        stopping.removeIf(sequence -> settles(sequence, nowNs) || timeouts.stalledTooLong(sequence));
        oldPrefixes.forget(epochs.weightsVersion(), versions -> forEach(s -> versions.accept(s.lease().epoch().weightsVersion())));
        admission.admit(nowNs);
        for (Sequence tooMany = parked.overflow(); tooMany != null; tooMany = parked.overflow()) {
            fail(tooMany, ErrorCode.CREDIT_TIMEOUT, "no credit, and too many streams are without: limit=%d, limit_bytes=%d, stream=%d"
                    .formatted(limits.stalled().maxParked(), limits.stalled().maxBytes(), tooMany.stream()));
        }
        List<Sequence> failed = lending.prepareStep();
        failed.forEach(this::fail);
        int stepRows = 0;
        int decodedRows = 0;
        long startNs = nanoClock.getAsLong();
        for (Batch batch : composer.compose(running)) {
            stepRows += batch.rows();
            decodedRows += batch.decodedRows();
            run(batch);
        }
        if (stepRows > 0) {
            observer.stepped(nanoClock.getAsLong() - startNs, stepRows, decodedRows);
        }
        rows += stepRows;
        updateStats();
        return stepRows + failed.size();
    }

    private void updateStats() {
        stats = new SchedulerStats(running.size(), waiting.size(), waiting.bytes(), parked.size(), parked.bytes(), steps, rows,
                recomputedRows, tokensGenerated, slotsGivenBack + admission.slotsGivenBack() + lending.preemptions(),
                lending.blocksTaken(), lending.preemptions(), waiting.batchSize(), waiting.tokens(), timeouts.deadlines());
    }

    /** Nanoseconds from the last step until the time of some sequence is up; {@code Long.MAX_VALUE} if there is none. */
    public long untilTimeoutNs() {
        return timeouts.nextNs();
    }

    /** Whether no sequence is left. */
    public boolean isEmpty() {
        return waiting.isEmpty() && running.size() == 0 && parked.isEmpty() && stopping.isEmpty();
    }

    /** Fails every sequence there is; one whose memory or answer makes trouble keeps no other from its answer. */
    public void failAll(ErrorCode code, String message) {
        List<Sequence> all = new ArrayList<>(stopping);
        forEach(all::add);
        waiting.sweep(sequence -> true);
        running.clear();
        parked.clear();
        stopping.clear();
        for (Sequence sequence : all) {
            fail(sequence, code, message);
        }
        updateStats();
    }

    /** Every sequence that has not ended, the oldest first, and where it is. */
    public List<StreamStatus> survey() {
        return Survey.of(running, waiting, parked, nanoClock.getAsLong());
    }

    /** As of the end of the last step; any thread. */
    public SchedulerStats stats() {
        return stats;
    }

    /** Lets a sequence go whose client has left or wants no more; all others see the newest epoch, and are announced once. */
    private boolean leaves(Sequence sequence) {
        SequenceClient client = sequence.request().client();
        if (client.settle()) {
            left(sequence);
            sequence.release(pool);
            return true;
        }
        sequence.follow(epochs, pool);
        sequence.announce();
        if ((client.stopRequested() || sequence.done()) && sequence.accepted()) {
            stopping.add(sequence);
            sequence.release(pool);
            return true;
        }
        return false;
    }

    private void forEach(Consumer<Sequence> action) {
        running.all().forEach(action);
        parked.all().forEach(action);
        waiting.forEach(action);
    }

    /** Parks a sequence that waits or runs and has no demand. */
    private boolean stalls(Sequence sequence) {
        if (!sequence.stalled()) {
            return false;
        }
        parked.add(sequence);
        return true;
    }

    /** Lets a parked sequence wait for a slot if it has demand again. */
    private boolean goesOn(Sequence sequence) {
        if (sequence.stalled()) {
            return false;
        }
        waiting.add(sequence);
        return true;
    }

    private boolean settles(Sequence sequence, long nowNs) {
        if (sequence.request().client().settle()) {
            left(sequence);
            return true;
        }
        if (sequence.request().client().demand() <= 0) {
            return false;
        }
        Completion completion = sequence.completedEarly(nowNs);
        observer.ended(sequence.end(StreamEnd.Outcome.valueOf(completion.reason().name()), null, nowNs));
        sequence.request().client().stopped(completion);
        return true;
    }

    private void left(Sequence sequence) {
        observer.ended(sequence.end(StreamEnd.Outcome.LEFT, null, nanoClock.getAsLong()));
    }

    private void run(Batch batch) {
        try {
            int needed = batch.logitsRows() * vocabularySize;
            if (logits.length < needed) {
                logits = new float[needed];
            }
            int written = batch.epoch().model().forward(batch.slices(), logits);
            if (written != batch.logitsRows()) {
                throw new IllegalStateException("model wrote rows=%d, expected=%d".formatted(written, batch.logitsRows()));
            }
        } catch (Throwable e) {
            log.error("forward pass failed: sequences={}, rows={}, weights_version={}",
                    batch.sequences().size(), batch.rows(), batch.epoch().weightsVersion(), e);
            batch.sequences().forEach(this::fail);
            return;
        }
        steps++;
        for (int i = 0; i < batch.sequences().size(); i++) {
            recomputedRows += batch.sequences().get(i).advanced(batch.slices().get(i).count(), pool);
        }
        deliver(batch);
    }

    private void deliver(Batch batch) {
        long nowNs = nanoClock.getAsLong();
        int spareDemand = waiting.isEmpty() ? 0 : 1;
        batchSampler.sampleAll(batch.sampled(), batch.sampledRows(), logits);
        batch.show(observer.logits(), batchSampler, logits, vocabularySize);
        int row = 0;
        int sampled = 0;
        for (int i = 0; i < batch.sequences().size(); i++) {
            Sequence sequence = batch.sequences().get(i);
            Slice slice = batch.slices().get(i);
            switch (slice.logits()) {
                case NONE -> sequence.reportProgress(nowNs, limits.now().progressIntervalNs(), spareDemand);
                case LAST -> deliverToken(sequence, sampled++, nowNs);
                case ALL -> deliverScores(sequence, slice, row);
            }
            row += Batch.logitsRows(slice);
        }
    }

    private void deliverScores(Sequence sequence, Slice slice, int row) {
        try {
            sequence.scores().score(slice, logits, row, vocabularySize);
        } catch (Throwable e) {
            failWithoutToken(sequence, e);
        }
    }

    private void deliverToken(Sequence sequence, int sampled, long nowNs) {
        tokensGenerated++;
        Sample sample = batchSampler.sample(sampled);
        if (sample == null) {
            failWithoutToken(sequence, batchSampler.failure(sampled));
            return;
        }
        anyToken = true;
        admission.charge(sequence, 1);
        try {
            if (sequence.take(sample, nowNs, observer)) {
                timeouts.done(sequence);
                running.remove(sequence);
                sequence.release(pool);
            }
        } catch (Throwable e) {
            log.error("a token was not delivered: stream={}", sequence.stream(), e);
            fail(sequence);
        }
    }

    private void failWithoutToken(Sequence sequence, @Nullable Throwable failure) {
        if (!(failure instanceof InvalidLogitsException invalid)) {
            log.error("no token from logits: stream={}", sequence.stream(), failure);
            fail(sequence);
        } else if (!sequence.leaveTrial(epochs, pool)) { // no fault of the program: the weights make such logits
            String message = "the model computes no usable logits: %s, weights_version=%d"
                    .formatted(invalid.getMessage(), sequence.lease().epoch().weightsVersion());
            if (anyToken) { // else it is told to whoever has just loaded the model, and says it
                log.error("no token from logits: stream={}: {}", sequence.stream(), message);
            }
            running.remove(sequence);
            fail(sequence, ErrorCode.INTERNAL, message);
        }
    }

    private void fail(Sequence sequence) {
        running.remove(sequence);
        fail(sequence, ErrorCode.INTERNAL, ServerTexts.FAULT + ": stream=" + sequence.stream());
    }

    /** Answers, then gives up what it holds; throws nothing, since others wait for their answers. */
    private void fail(Sequence sequence, ErrorCode code, String message) {
        try {
            boolean left = sequence.request().client().settle();
            if (!left) {
                sequence.request().client().failed(code, message);
            }
            observer.ended(sequence.end(left ? StreamEnd.Outcome.LEFT : StreamEnd.Outcome.FAILED, left ? null : code, nanoClock.getAsLong()));
        } catch (RuntimeException | Error e) {
            log.error("the failure of a stream could not be told: stream={}, code={}", sequence.stream(), code, e);
        }
        try {
            sequence.release(pool);
        } catch (RuntimeException | Error e) {
            log.error("what a stream held was not given back: stream={}", sequence.stream(), e);
        }
    }
}
