package dev.tidestream.server.canary;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.canary.CanaryReport.Ended;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.Trial;
import dev.tidestream.server.scheduler.probe.LogitsProbe;
import dev.tidestream.server.scheduler.probe.SampledRow;

/**
 * The canary and the shadow of a server: at most one of each runs. The decode thread asks where new streams begin and shows rows of logits;
 * administrators begin and end. What ends by itself gives its memory back, and is told of, on another thread.
 */
public final class Trials implements Trial, LogitsProbe {
    private static final Logger log = LoggerFactory.getLogger(Trials.class);

    private final CurrentEpoch epochs;
    private final Function<LoadedModel, LanguageModel> forward;
    private final ShadowLimits limits;
    private final Executor aside;
    private final InstantSource clock;
    private final List<Consumer<CanaryReport>> listeners = new CopyOnWriteArrayList<>();
    private volatile @Nullable RunningCanary canary; // the last one
    private volatile @Nullable RunningShadow shadow; // the last one

    private Trials(CurrentEpoch epochs, Function<LoadedModel, LanguageModel> forward, ShadowLimits limits, Executor aside,
            InstantSource clock) {
        this.epochs = epochs;
        this.forward = forward;
        this.limits = limits;
        this.aside = aside;
        this.clock = clock;
    }

    /**
     * Of these epochs, which ask it from now on.
     *
     * @param forward a forward pass that nobody is told of, for the decode thread
     * @param aside runs what the decode thread should not wait for
     */
    public static Trials over(CurrentEpoch epochs, Function<LoadedModel, LanguageModel> forward, ShadowLimits limits, Executor aside,
            InstantSource clock) {
        Trials trials = new Trials(epochs, forward, limits, aside, clock);
        epochs.tryOut(trials);
        epochs.onPublish(trials::published);
        return trials;
    }

    /** Tells of every canary that has ended, from now on; by any thread but the decode thread. */
    public void onCanaryEnd(Consumer<CanaryReport> listener) {
        listeners.add(listener);
    }

    /** What a shadow may cost. */
    public ShadowLimits limits() {
        return limits;
    }

    private @Nullable RunningCanary running() {
        RunningCanary last = canary;
        return last != null && last.runs() ? last : null;
    }

    private @Nullable RunningShadow shadowing() {
        RunningShadow last = shadow;
        return last != null && last.runs() ? last : null;
    }

    /**
     * Has some new streams begin with a version. One caller at a time, who lets nobody publish meanwhile.
     *
     * @param lease on the version; taken over
     * @throws IllegalStateException if a canary runs; the lease is then still the caller's
     */
    public CanaryReport begin(CanarySpec spec, Lease lease) {
        if (running() != null) {
            throw new IllegalStateException("a canary runs");
        }
        RunningCanary next = new RunningCanary(spec, epochs.weightsVersion(), clock.instant(), lease);
        canary = next;
        return next.report();
    }

    /** The canary that runs, or else the last one. */
    public Optional<CanaryReport> canary() {
        return Optional.ofNullable(canary).map(RunningCanary::report);
    }

    /** Ends the canary, if one runs: no stream begins with its version any more. */
    public Optional<CanaryReport> endCanary() {
        RunningCanary runs = running();
        if (runs != null) {
            end(runs, CanaryEnd.STOPPED, "");
        }
        return canary();
    }

    private void end(RunningCanary ending, CanaryEnd why, String detail) {
        if (ending.end(new Ended(why, detail, clock.instant()))) {
            aside.execute(() -> {
                ending.close();
                listeners.forEach(listener -> listener.accept(ending.report()));
            });
        }
    }

    private void published(long version) {
        RunningCanary runs = running();
        if (runs != null && version >= runs.weightsVersion()) {
            end(runs, version == runs.weightsVersion() ? CanaryEnd.PROMOTED : CanaryEnd.SUPERSEDED, "");
        } else if (runs != null && version != runs.report().baselineVersion()) {
            end(runs, CanaryEnd.SUPERSEDED, "weights_version=" + version);
        }
    }

    /**
     * Has a version's logits computed beside those of some live streams. One caller at a time.
     *
     * @param lease on the version; taken over
     * @throws IllegalStateException if a shadow runs; the lease is then still the caller's
     */
    public ShadowReport begin(ShadowSpec spec, Lease lease) {
        if (shadowing() != null) {
            throw new IllegalStateException("a shadow runs");
        }
        RunningShadow next = new RunningShadow(spec, limits, clock.instant(), lease, forward);
        shadow = next;
        return next.report();
    }

    /** The shadow that runs, or else the last one. */
    public Optional<ShadowReport> shadow() {
        return Optional.ofNullable(shadow).map(RunningShadow::report);
    }

    /** Ends the shadow, if one runs; its memory is given back when this returns. */
    public Optional<ShadowReport> endShadow() {
        RunningShadow runs = shadowing();
        if (runs != null && runs.end("", clock.instant())) {
            runs.close();
        }
        return shadow();
    }

    /** Ends both, and tells nobody; before the epochs are closed. */
    public void close() {
        RunningCanary runs = running();
        if (runs != null && runs.end(new Ended(CanaryEnd.STOPPED, "", clock.instant()))) {
            runs.close();
        }
        endShadow();
    }

    @Override
    public long weightsVersion() {
        RunningCanary runs = running();
        return runs == null ? NO_VERSION : runs.weightsVersion();
    }

    @Override
    public boolean takes(long seed, Object account) {
        RunningCanary runs = running();
        return runs != null && runs.takes(seed, account);
    }

    @Override
    public boolean watches() {
        return running() != null || shadowing() != null;
    }

    @Override
    public void sampled(List<SampledRow> rows) {
        RunningShadow beside = shadowing();
        if (beside != null) {
            try {
                beside.sampled(rows);
            } catch (RuntimeException | Error e) { // live streams go on
                log.error("the shadow has failed and ends: weights_version={}", beside.weightsVersion(), e);
                fail(beside, e);
            }
        }
        RunningCanary runs = running();
        if (runs != null) {
            runs.sampled(rows);
            judge(runs);
        }
    }

    private void fail(RunningShadow failing, Throwable why) {
        Instant now = clock.instant();
        if (failing.end(String.valueOf(why.getMessage()), now)) {
            aside.execute(failing::close);
        }
    }

    private void judge(RunningCanary runs) {
        RunningShadow beside = shadowing();
        boolean same = beside != null && beside.weightsVersion() == runs.weightsVersion();
        runs.broken(same ? beside.figures() : ShadowFigures.NONE).ifPresent(broken -> end(runs, broken.why(), broken.detail()));
    }

    /**
     * A stream has ended; decode thread.
     *
     * @param failed with a fault of model or server
     */
    public void ended(long stream, long version, boolean failed) {
        RunningShadow beside = shadowing();
        if (beside != null) {
            beside.ended(stream);
        }
        RunningCanary runs = running();
        if (runs != null) {
            runs.ended(version, failed);
            judge(runs);
        }
    }
}
