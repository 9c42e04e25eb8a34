package dev.tidestream.server.canary;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.server.canary.CanaryReport.Ended;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.probe.SampledRow;

/** A canary while it runs, and after. The decode thread counts; any thread ends it or reads. */
final class RunningCanary {
    /** Of each side in a step: what scoring costs has a bound. */
    private static final int MOST_SCORED = 4;

    private final CanarySpec spec;
    private final long baselineVersion;
    private final Instant started;
    private final Lease lease;
    private final Kernels kernels;
    private final int vocabularySize;
    private final AtomicReference<@Nullable Ended> end = new AtomicReference<>();
    private volatile SideFigures canary = SideFigures.NONE;
    private volatile SideFigures baseline = SideFigures.NONE;
    private int turn; // who is scored first

    /** @param lease on its version, which it keeps in memory; closed by {@link #close} */
    RunningCanary(CanarySpec spec, long baselineVersion, Instant started, Lease lease) {
        this.spec = spec;
        this.baselineVersion = baselineVersion;
        this.started = started;
        this.lease = lease;
        this.kernels = lease.epoch().model().kernels();
        this.vocabularySize = lease.epoch().model().vocabularySize();
    }

    long weightsVersion() {
        return spec.weightsVersion();
    }

    boolean runs() {
        return end.get() == null;
    }

    /** Ends it; false if it had ended. */
    boolean end(Ended how) {
        return end.compareAndSet(null, how);
    }

    /** Its version need not stay in memory for it. */
    void close() {
        lease.close();
    }

    CanaryReport report() {
        return new CanaryReport(spec, baselineVersion, started, end.get(), canary, baseline);
    }

    /** A new stream: where it begins. */
    boolean takes(long seed, Object account) {
        boolean takes = spec.takes(seed, account);
        if (takes) {
            canary = canary.withStream();
        } else {
            baseline = baseline.withStream();
        }
        return takes;
    }

    /** Tokens of a step. */
    void sampled(List<SampledRow> rows) {
        canary = counted(canary, rows, spec.weightsVersion());
        baseline = counted(baseline, rows, baselineVersion);
        turn++;
    }

    private SideFigures counted(SideFigures side, List<SampledRow> rows, long version) {
        int tokens = 0;
        int scored = 0;
        int nonFinite = 0;
        double logprobs = 0;
        for (int i = 0; i < rows.size(); i++) {
            SampledRow row = rows.get((i + turn) % rows.size());
            if (row.weightsVersion() == version) {
                if (row.token() == SampledRow.NO_TOKEN) {
                    nonFinite += isFinite(row) ? 0 : 1;
                } else {
                    tokens++;
                    if (scored < MOST_SCORED) {
                        scored++;
                        logprobs += LogitsDistance.logprob(kernels, row.logits(), row.offset(), vocabularySize, row.token());
                    }
                }
            }
        }
        return tokens + nonFinite == 0 ? side : side.withTokens(tokens, scored, logprobs, nonFinite);
    }

    private boolean isFinite(SampledRow row) {
        for (int i = 0; i < vocabularySize; i++) {
            if (!Float.isFinite(row.logits()[row.offset() + i])) {
                return false;
            }
        }
        return true;
    }

    /** A stream has ended. */
    void ended(long version, boolean failed) {
        if (version == spec.weightsVersion()) {
            canary = canary.withEnd(failed);
        } else if (version == baselineVersion) {
            baseline = baseline.withEnd(failed);
        }
    }

    /** Whether its rule is broken now. */
    Optional<RollbackRule.Broken> broken(ShadowFigures shadow) {
        return spec.rule().broken(canary, baseline, shadow);
    }
}
