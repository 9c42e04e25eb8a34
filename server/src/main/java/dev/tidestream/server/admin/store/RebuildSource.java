package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.function.Supplier;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.checkpoint.CheckpointException;
import dev.tidestream.server.admin.store.checkpoint.CheckpointFormat;
import dev.tidestream.server.admin.store.checkpoint.CheckpointWriter;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.Storage;

/**
 * What the data directory has to come to a version of the weights: payloads, checked before they are used, and checkpoints, from which
 * only the updates after them need be applied. Either way the bits are the same. Any thread; one writes checkpoints at a time.
 */
public final class RebuildSource {
    private final Storage storage;
    private final Supplier<Manifest> manifest;
    private final Checkpoints checkpoints;
    private final PayloadChecks checks;
    private final Map<Long, String> contentSha256 = new ConcurrentHashMap<>(); // an entry for each version at most, as in the manifest

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
     * SHA-256 of the updates that make a version of the model file: the same for the same weights, however one came to them. Known at
     * once of versions that this process may serve: the current one, and all that were committed since.
     *
     * @throws AdminException {@code unknown_version}
     */
    public String contentSha256(long version) throws AdminException {
        return contentSha256(manifest.get(), version);
    }

    private String contentSha256(Manifest from, long version) throws AdminException {
        String known = contentSha256.get(version);
        if (known == null) {
            known = VersionHistory.contentSha256(from, version);
            contentSha256.put(version, known);
        }
        return known;
    }

    /** A manifest that is about to be the newest, what is asked of its last version being known: by who commits, before it is served. */
    Manifest known(Manifest next) {
        try {
            contentSha256(next, VersionHistory.newest(next));
            contentSha256(next, VersionHistory.current(next));
            return next;
        } catch (AdminException e) {
            throw new IllegalStateException("a manifest does not know its last version", e);
        }
    }

    /**
     * Finds checkpoints, and reads the payloads that are newer than the one that the current version needs.
     *
     * @param progress told of stage {@code checking}, in bytes
     * @throws DataDirException if one of these payloads is damaged
     */
    void open(ProgressSink progress) throws IOException, DataDirException {
        Manifest now = known(manifest.get());
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
    public ReplayPlan plan(long version) throws AdminException {
        return VersionHistory.plan(manifest.get(), version, checkpoints.versions());
    }

    /** A payload was hashed on its way here. */
    void sound(VersionRecord.WithPayload update) {
        checks.sound(update);
    }

    /** Where the payload of an update is. */
    public Path payload(VersionRecord.WithPayload update) {
        return storage.path(update.payloadFile());
    }

    /**
     * Has the payloads that a plan needs hashed, as far as they have not been.
     *
     * @throws AdminException {@code internal} if one is damaged
     */
    public void requireSound(ReplayPlan plan) throws AdminException {
        checks.requireSound(plan.updates());
    }

    /** A checkpoint turned out to be damaged: it will not be tried again, and costs time, not the version. */
    public void refuse(CheckpointException reason) {
        checkpoints.refuse(reason);
    }

    /**
     * The tensors of a checkpoint.
     *
     * @param version of the checkpoint
     * @param model of the same base: it says which shapes the tensors have
     * @return by name; the caller's
     * @throws CheckpointException if it cannot be used
     */
    public Map<String, OwnedTensor> read(long version, LoadedModel model, WorkerTeam team, ProgressSink progress)
            throws CheckpointException, AdminException {
        Manifest now = manifest.get();
        List<CheckpointFormat.Part> parts = new ArrayList<>();
        for (String name : VersionHistory.changed(now, version)) {
            parts.add(CheckpointFormat.Part.of(name, likeIn(model, name)));
        }
        return checkpoints.read(now, version, parts, team, progress);
    }

    /** A tensor of this shape and format: of an output head that a version has made a matrix of its own, the embedding. */
    private static WeightTensor likeIn(LoadedModel model, String name) throws AdminException {
        return Refusals.tensor(model, model.tiedTo(name).orElse(name));
    }

    /** Whether the output head of a version is a matrix of its own, which it is not in the model file. */
    public boolean unties(long version) throws AdminException {
        return VersionHistory.unties(manifest.get(), version);
    }

    /**
     * Keeps a version's tensors, so that nobody need rebuild it.
     *
     * @param model of this version; stays open meanwhile
     * @return false if it was given up, or is there already
     * @throws IOException if it could not be written; nothing has changed then
     */
    public boolean checkpoint(long version, LoadedModel model, CheckpointWriter.Pacer pacer) throws IOException, AdminException {
        SequencedMap<String, WeightTensor> tensors = new LinkedHashMap<>();
        for (String name : VersionHistory.changed(manifest.get(), version)) {
            tensors.put(name, Refusals.tensor(model, name));
        }
        return checkpoint(version, tensors, pacer);
    }

    /** @param tensors all in which the version may differ from the model file, sorted by name */
    public boolean checkpoint(long version, SequencedMap<String, WeightTensor> tensors, CheckpointWriter.Pacer pacer) throws IOException {
        return checkpoints.write(manifest.get(), version, tensors, pacer);
    }

    /** Versions that need not be rebuilt. */
    public Set<Long> checkpoints() {
        return checkpoints.versions();
    }
}
