package dev.tidestream.server.admin.build;

import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Function;

import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.ModelEpoch;

/**
 * The administrator's side of the epochs: which model is served, and how the next one takes its place. Any thread reads; changes are
 * serialised by the caller.
 */
public final class ServedModelVersions {
    private final CurrentEpoch epochs;
    private final Function<LoadedModel, LanguageModel> forward;
    private final VersionLimit limit;

    /**
     * @param epochs that own their weights
     * @param forward a forward pass over a version
     */
    public ServedModelVersions(CurrentEpoch epochs, Function<LoadedModel, LanguageModel> forward, VersionLimit limit) {
        this.epochs = epochs;
        this.forward = forward;
        this.limit = limit;
    }

    /** The epoch that new streams get: version and model of one moment. */
    public ModelEpoch epoch() {
        return epochs.newest();
    }

    /** The model of that epoch; stays open at least until another is published. */
    public LoadedModel current() {
        return epoch().loaded();
    }

    /** The version of the weights that is served. */
    public long weightsVersion() {
        return epochs.weightsVersion();
    }

    /** A lease on a version that is in memory, to be closed by the caller. */
    public Optional<Lease> lease(long version) {
        return epochs.lease(version);
    }

    /** The epochs whose memory has not been given back, oldest first. */
    public List<EpochStatus> live() {
        return epochs.live();
    }

    /** Of versions alive. */
    public VersionLimit limit() {
        return limit;
    }

    /** Waits, as configured, until one more version may live. */
    public void awaitPlace(ProgressSink progress) throws AdminException {
        int live = epochs.liveEpochs();
        if (live >= limit.maxLive()) {
            progress.report("waiting_for_versions", live, limit.maxLive());
        }
        limit.require(epochs);
    }

    /** What makes a version durable. */
    public interface Commit {
        /** The number of the version. */
        long run() throws AdminException;
    }

    /** Publishes a version as soon as it is durable. Takes over the model, also if the commit fails. */
    public void commitAndPublish(LoadedModel next, Commit commit) throws AdminException {
        boolean published = false;
        try {
            epochs.publish(ModelEpoch.of(commit.run(), next, forward));
            published = true;
        } finally {
            if (!published) {
                next.close();
            }
        }
    }

    /** Keeps a version beside the one that is served as soon as it is durable. Takes over the model, also if the commit fails. */
    public void commitAndHold(LoadedModel next, Commit commit) throws AdminException {
        boolean held = false;
        try {
            epochs.hold(ModelEpoch.of(commit.run(), next, forward));
            held = true;
        } finally {
            if (!held) {
                next.close();
            }
        }
    }

    /** Versions in memory that wait to be published, oldest first. */
    public SortedSet<Long> held() {
        return epochs.held();
    }

    /**
     * Makes a held version the one that new streams get, once that is durable.
     *
     * @param commit returns its number
     * @throws IllegalStateException if it is not held; nothing has changed then
     */
    public void publishHeld(Commit commit) throws AdminException {
        long version = commit.run();
        if (!epochs.publishHeld(version)) {
            throw new IllegalStateException("not held: weights_version=" + version);
        }
    }

    /** Holds a version no longer. */
    public void letGo(long version) {
        epochs.letGo(version);
    }

    /** Publishes the same weights with another head. Takes over the model. */
    public void publish(LoadedModel next) throws AdminException {
        commitAndPublish(next, this::weightsVersion);
    }
}
