package dev.tidestream.server.admin.service;

import java.util.Optional;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.TrialsDesk;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.ShadowReport;
import dev.tidestream.server.canary.ShadowSpec;
import dev.tidestream.server.canary.Trials;
import dev.tidestream.server.epoch.Lease;

/** Publishes held versions, begins and ends canaries and shadows; one change at a time. */
final class TrialService implements TrialsDesk {
    private final HeldVersions held;
    private final Changes changes;
    private final ServedModelVersions served;
    private final Trials trials;
    private final EpochBuilder builder;

    /** @param trials what is tried */
    TrialService(HeldVersions held, Changes changes, ServedModelVersions served, Trials trials, EpochBuilder builder) {
        this.held = held;
        this.changes = changes;
        this.served = served;
        this.trials = trials;
        this.builder = builder;
    }

    @Override
    public boolean publish(long version) throws AdminException {
        return changes.run(() -> held.publish(version));
    }

    @Override
    public CanaryReport begin(CanarySpec canary) throws AdminException {
        return changes.run(() -> {
            Optional<CanaryReport> running = trials.canary().filter(CanaryReport::runs);
            if (running.isPresent()) {
                throw conflict("a canary runs already: version=" + running.get().spec().weightsVersion());
            }
            held.require(canary.weightsVersion());
            if (canary.rule().maxKl().isPresent() && !hasShadow(canary.weightsVersion())) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE,
                        "max_kl is of the shadow, and none of this version runs: version=" + canary.weightsVersion());
            }
            return taken(held.lease(canary.weightsVersion()), lease -> trials.begin(canary, lease));
        });
    }

    private boolean hasShadow(long version) {
        return trials.shadow().filter(shadow -> shadow.runs() && shadow.spec().weightsVersion() == version).isPresent();
    }

    private static AdminException conflict(String message) {
        return new AdminException(AdminErrorCode.TRIAL_CONFLICT, message);
    }

    /** Takes over a lease. */
    private interface Taking<T> {
        T take(Lease lease);
    }

    private static <T> T taken(Lease lease, Taking<T> taking) {
        boolean taken = false;
        try {
            T result = taking.take(lease);
            taken = true;
            return result;
        } finally {
            if (!taken) {
                lease.close();
            }
        }
    }

    @Override
    public Optional<CanaryReport> canary() {
        return trials.canary();
    }

    @Override
    public Optional<CanaryReport> endCanary() {
        return trials.endCanary();
    }

    @Override
    public long promote() throws AdminException {
        return changes.run(() -> {
            CanaryReport running = trials.canary().filter(CanaryReport::runs).orElseThrow(() -> conflict("no canary runs"));
            held.publish(running.spec().weightsVersion());
            return running.spec().weightsVersion();
        });
    }

    @Override
    public ShadowReport begin(ShadowSpec shadow) throws AdminException {
        return changes.run(() -> {
            Optional<ShadowReport> running = trials.shadow().filter(ShadowReport::runs);
            if (running.isPresent()) {
                throw conflict("a shadow runs already: version=" + running.get().spec().weightsVersion());
            }
            if (shadow.weightsVersion() == served.weightsVersion()) {
                throw new AdminException(AdminErrorCode.INVALID_VALUE,
                        "a shadow is of another version than the current one: version=" + shadow.weightsVersion());
            }
            builder.requireRoom("KV memory of a shadow", served.current(), trials.limits().kvBytes());
            try {
                return taken(held.lease(shadow.weightsVersion()), lease -> trials.begin(shadow, lease));
            } catch (IllegalArgumentException e) { // its KV memory holds no sequence of this model
                throw new AdminException(AdminErrorCode.BUDGET_EXCEEDED, "--shadow-memory is too small: " + e.getMessage(), e);
            }
        });
    }

    @Override
    public Optional<ShadowReport> shadow() {
        return trials.shadow();
    }

    @Override
    public Optional<ShadowReport> endShadow() {
        return trials.endShadow();
    }
}
