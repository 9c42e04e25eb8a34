package dev.tidestream.server.admin;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.function.Supplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;

/**
 * What the data directory has to come to a version of the weights: payloads, checked before they are used, and checkpoints, from which
 * only the updates after them need be applied. Either way the bits are the same. Any thread; one writes checkpoints at a time.
 */
final class RebuildSource {
    private static final Logger log = LoggerFactory.getLogger(RebuildSource.class);

    private final Storage storage;
    private final Supplier<Manifest> manifest;
    private final Checkpoints checkpoints;
    private final PayloadChecks checks;

    /**
     * Of a directory.
     *
     * @param directory held by whoever changes names in the storage
     * @param manifest the newest
     */
    RebuildSource(Storage storage, Lock directory, Supplier<Manifest> manifest) {
        this.storage = storage;
        this.manifest = manifest;
        this.checkpoints = new Checkpoints(storage, directory);
        this.checks = new PayloadChecks(storage);
    }

    /**
     * Finds checkpoints, and reads the payloads that are newer than the one that the current version needs.
     *
     * @param progress told of stage {@code checking}, in bytes
     * @throws DataDirException if one of these payloads is damaged
     */
    void open(ProgressSink progress) throws IOException, DataDirException {
        Manifest now = manifest.get();
        checkpoints.open(now);
        try {
            checks.requireAllSince(plan(VersionHistory.current(now)).from(), now, progress);
        } catch (AdminException e) {
            throw new IllegalStateException("a history knows its current version", e);
        }
    }

    /**
     * How to come to a version, from the newest checkpoint on the way to it.
     *
     * @throws AdminException {@code unknown_version}
     */
    ReplayPlan plan(long version) throws AdminException {
        return VersionHistory.plan(manifest.get(), version, checkpoints.versions());
    }

    /** A payload was hashed on its way here. */
    void sound(VersionRecord.Updated update) {
        checks.sound(update);
    }

    private Path payload(VersionRecord.Updated update) {
        return storage.path(update.payloadFile());
    }

    /**
     * The model of a version; see {@link EpochBuilder#rebuild}. A checkpoint that turns out to be damaged costs time, not the version.
     *
     * @param differing names of all tensors in which the version may differ from {@code current}
     * @throws AdminException {@code unknown_version}, {@code budget_exceeded}, {@code internal} if a payload is damaged
     */
    LoadedModel rebuild(EpochBuilder builder, LoadedModel current, long version, Set<String> differing, ProgressSink progress)
            throws AdminException {
        while (true) {
            ReplayPlan plan = plan(version);
            checks.requireSound(plan.updates());
            if (version > UpdateLog.BASE_VERSION) {
                log.info("rebuilding: weights_version={}, from_version={}, updates={}, payload_bytes={}",
                        version, plan.from(), plan.updates().size(), plan.bytes());
            }
            EpochBuilder.Checkpointed start = plan.from() == UpdateLog.BASE_VERSION
                    ? (model, team) -> Map.of() : (model, team) -> read(plan.from(), model, team, progress);
            try {
                return builder.rebuild(current, differing, start, plan.updates(), this::payload, progress);
            } catch (CheckpointException e) {
                checkpoints.refuse(e);
            }
        }
    }

    private Map<String, OwnedTensor> read(long version, LoadedModel model, WorkerTeam team, ProgressSink progress)
            throws CheckpointException, AdminException {
        Manifest now = manifest.get();
        List<CheckpointFormat.Part> parts = new ArrayList<>();
        for (String name : VersionHistory.changed(now, version)) {
            parts.add(CheckpointFormat.Part.of(name, EpochBuilder.tensor(model, name)));
        }
        return checkpoints.read(now, version, parts, team, progress);
    }

    /**
     * Keeps a version's tensors, so that nobody need rebuild it.
     *
     * @param model of this version; stays open meanwhile
     * @return false if it was given up, or is there already
     * @throws IOException if it could not be written; nothing has changed then
     */
    boolean checkpoint(long version, LoadedModel model, CheckpointWriter.Pacer pacer) throws IOException, AdminException {
        SequencedMap<String, WeightTensor> tensors = new LinkedHashMap<>();
        for (String name : VersionHistory.changed(manifest.get(), version)) {
            tensors.put(name, EpochBuilder.tensor(model, name));
        }
        return checkpoint(version, tensors, pacer);
    }

    /** @param tensors all in which the version may differ from the model file, sorted by name */
    boolean checkpoint(long version, SequencedMap<String, WeightTensor> tensors, CheckpointWriter.Pacer pacer) throws IOException {
        return checkpoints.write(manifest.get(), version, tensors, pacer);
    }

    /** Versions that need not be rebuilt. */
    Set<Long> checkpoints() {
        return checkpoints.versions();
    }
}
