package dev.tidestream.server.admin.build;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.patch.PatchException;
import dev.tidestream.model.patch.PatchResult;
import dev.tidestream.model.patch.RequantisationError;
import dev.tidestream.model.patch.TensorPatcher;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.store.ChangeKind;
import dev.tidestream.server.admin.store.RebuildSource;
import dev.tidestream.server.admin.store.ReplayPlan;
import dev.tidestream.server.admin.store.ReplayStep;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.checkpoint.CheckpointException;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Makes the model that comes next, from the one that is served, without touching it: an update of a tensor, the weights of an
 * older version, another head. What fails leaves nothing behind.
 *
 * <p>A version's bits are a function of the model file and its updates in order, whether it was built live, by a rollback or at a
 * restart: every update is applied to the bits that the one before it left.
 *
 * <p>Blocks and computes: worker threads only, one at a time.
 */
public final class EpochBuilder {
    private static final Logger log = LoggerFactory.getLogger(EpochBuilder.class);

    private final ModelLoader file;
    private final WorkerTeam team;
    private final MemoryBudget budget;
    private final LoadedModel.HeadFactory heads;
    private final LowRankProduct product;

    /**
     * @param file the base of all versions
     * @param team paced, see {@link PacedTeam}
     * @param heads makes heads; a test may give one that is broken
     * @param product of low-rank updates
     */
    public EpochBuilder(
            ModelLoader file, WorkerTeam team, MemoryBudget budget, LoadedModel.HeadFactory heads, LowRankProduct product) {
        this.file = file;
        this.team = team;
        this.budget = budget;
        this.heads = heads;
        this.product = product;
    }

    /** The model with one tensor changed, and what storing it lost. */
    public record Updated(LoadedModel model, PatchResult patch) {}

    /** The model with some tensors changed, and what came of each change, in order. */
    public record Changed(LoadedModel model, List<PatchResult> patches) {}

    /**
     * Applies an update.
     *
     * @param payload its file
     * @throws AdminException {@code budget_exceeded}, and what {@link TensorPatcher} refuses
     */
    public Updated update(LoadedModel current, UpdateSpec spec, Path payload, ProgressSink progress) throws AdminException {
        WeightTensor base = Refusals.tensor(current, spec.tensor());
        requireRoom(current, Set.of(spec.tensor()));
        progress.report("building", 0, 1);
        Map<String, OwnedTensor> replaced = new HashMap<>();
        PatchResult result;
        try (UpdatePayload mapped = UpdatePayload.map(spec, payload)) {
            result = patch(spec.tensor(), mapped, base, replaced);
        }
        LoadedModel next = successor(current, current.blueprint().tied(), replaced);
        progress.report("building", 1, 1);
        return new Updated(next, result);
    }

    /**
     * Applies changes of many tensors, each at most once but for an output head that becomes a matrix of its own.
     *
     * @param payload that has the stretches of all changes
     * @throws AdminException {@code budget_exceeded}, and what {@link TensorPatcher} refuses
     */
    public Changed update(LoadedModel current, List<TensorChange> changes, Path payload, ProgressSink progress) throws AdminException {
        Set<String> names = changes.stream().map(TensorChange::tensor).collect(Collectors.toCollection(TreeSet::new));
        requireRoom(current, names);
        Map<String, OwnedTensor> replaced = new LinkedHashMap<>();
        List<PatchResult> results = new ArrayList<>();
        boolean done = false;
        try {
            for (TensorChange change : changes) {
                progress.report("building", results.size(), changes.size());
                results.add(change(current, change, payload, replaced));
            }
            done = true;
        } finally {
            if (!done) {
                replaced.values().forEach(OwnedTensor::close);
            }
        }
        boolean tied = current.blueprint().tied() && changes.stream().noneMatch(change -> change.kind() == ChangeKind.COPY);
        LoadedModel next = successor(current, tied, replaced);
        progress.report("building", changes.size(), changes.size());
        return new Changed(next, results);
    }

    /**
     * Whether two changes of the embedding make the same tensor, to the bit.
     *
     * @param other null for no change
     * @param payload that has the stretches of both
     * @throws AdminException {@code budget_exceeded}, and what {@link TensorPatcher} refuses
     */
    public boolean same(LoadedModel current, TensorChange first, @Nullable TensorChange other, Path payload) throws AdminException {
        requireRoom(current, Set.of(first.tensor()));
        Map<String, OwnedTensor> one = new HashMap<>();
        Map<String, OwnedTensor> two = new HashMap<>();
        try {
            change(current, first, payload, one);
            WeightTensor held = Refusals.tensor(current, first.tensor());
            if (other != null) {
                held = change(current, other, payload, two).tensor();
            }
            return TensorCopies.equal(one.values().iterator().next().tensor(), held);
        } finally {
            one.values().forEach(OwnedTensor::close);
            two.values().forEach(OwnedTensor::close);
        }
    }

    /** Puts the changed tensor into {@code replaced}; what was there under its name is closed. */
    private PatchResult change(LoadedModel current, TensorChange change, Path file, Map<String, OwnedTensor> replaced)
            throws AdminException {
        OwnedTensor before = replaced.get(change.tensor());
        PatchResult result;
        if (change.kind() == ChangeKind.COPY) {
            OwnedTensor embedding = replaced.get(current.embeddingName());
            WeightTensor copied = embedding == null ? Refusals.tensor(current, current.embeddingName()) : embedding.tensor();
            OwnedTensor copy = TensorCopies.copy(copied, team);
            replaced.put(change.tensor(), copy);
            result = new PatchResult(copy.tensor(), new RequantisationError(0, 0, 0), 0, 0);
        } else {
            WeightTensor base = before == null ? Refusals.tensor(current, change.tensor()) : before.tensor();
            try (UpdatePayload payload = UpdatePayload.map(change, file)) {
                result = patch(change.tensor(), payload, base, replaced);
            }
        }
        if (before != null) {
            before.close();
        }
        return result;
    }

    /** Puts the patched tensor into {@code replaced}; one that was there under its name stays the caller's. */
    @SuppressWarnings("MustBeClosedChecker") // the tensor in the map owns the arena
    private PatchResult patch(String tensor, UpdatePayload payload, WeightTensor base, Map<String, OwnedTensor> replaced)
            throws AdminException {
        PageArena arena = new PageArena();
        boolean done = false;
        try {
            PatchResult result = TensorPatcher.apply(tensor, base, payload.patch(), arena, team, product);
            replaced.put(tensor, OwnedTensor.of(result.tensor(), arena));
            done = true;
            return result;
        } catch (PatchException e) {
            throw UpdatePayload.refusal(e);
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    /** Tensors to begin with, instead of those of the model file. */
    private interface Checkpointed {
        /** By name; the caller's. */
        Map<String, OwnedTensor> read(LoadedModel current, WorkerTeam team) throws CheckpointException, AdminException;
    }

    /**
     * The model of an older version, or of the newest one at a start, from the newest checkpoint on the way to it. A checkpoint that
     * turns out to be damaged costs time, not the version.
     *
     * @param source of payloads and checkpoints
     * @param current what is shared as far as the tensors are the same
     * @param differing names of all tensors in which the version may differ from {@code current}
     * @throws AdminException {@code unknown_version}, {@code budget_exceeded}, {@code internal} if a payload is damaged
     */
    public LoadedModel rebuild(
            RebuildSource source, LoadedModel current, long version, Set<String> differing, ProgressSink progress) throws AdminException {
        while (true) {
            ReplayPlan plan = source.plan(version);
            source.requireSound(plan);
            if (version > UpdateLog.BASE_VERSION) {
                log.info("rebuilding: weights_version={}, from_version={}, updates={}, payload_bytes={}",
                        version, plan.from(), plan.updates().size(), plan.bytes());
            }
            Checkpointed start = plan.from() == UpdateLog.BASE_VERSION
                    ? (model, paced) -> Map.of() : (model, paced) -> source.read(plan.from(), model, paced, progress);
            try {
                return rebuild(current, differing, start, plan.steps(), source, version, progress);
            } catch (CheckpointException e) {
                source.refuse(e);
            }
        }
    }

    /**
     * The same, from one checkpoint.
     *
     * @param current what is shared as far as the tensors are the same
     * @param differing names of tensors in which the versions may differ
     * @param checkpoint of a version on the way; none is an empty one
     * @param steps that lead from there to the wanted version, in order
     * @throws CheckpointException if the checkpoint cannot be used
     */
    private LoadedModel rebuild(
            LoadedModel current,
            Set<String> differing,
            Checkpointed checkpoint,
            List<ReplayStep> steps,
            RebuildSource source,
            long version,
            ProgressSink progress)
            throws AdminException, CheckpointException {
        boolean unties = source.unties(version);
        Set<String> needed = new TreeSet<>(differing);
        if (unties) {
            needed.add(current.embeddingName()); // what the output head was before it became a matrix of its own
        }
        requireRoom(current, needed);
        Map<String, OwnedTensor> replaced = new LinkedHashMap<>();
        boolean done = false;
        try {
            replaced.putAll(checkpoint.read(current, team));
            for (String name : needed) {
                if (!replaced.containsKey(name) && file.has(name)) {
                    replaced.put(name, file.read(name, team));
                }
            }
            apply(current, steps, source, replaced, progress);
            done = true;
        } finally {
            if (!done) {
                replaced.values().forEach(OwnedTensor::close);
            }
        }
        return successor(current, !unties && file.blueprint().tied(), replaced);
    }

    private void apply(LoadedModel current, List<ReplayStep> steps, RebuildSource source, Map<String, OwnedTensor> replaced,
            ProgressSink progress) throws AdminException {
        int done = 0;
        for (ReplayStep step : steps) {
            progress.report("building", done++, steps.size());
            TensorChange change = step.change();
            if (!replaced.containsKey(change.tensor()) && change.kind() != ChangeKind.COPY) {
                throw new IllegalStateException("not among the tensors that differ: " + change.tensor());
            }
            change(current, change, source.payload(step.version()), replaced);
        }
    }

    /** The model with another head. */
    public LoadedModel withHead(LoadedModel current, EmbeddingLayer head) {
        return current.successor(Map.of(), head);
    }

    /** Builds a head for the current weights; the caller's until it is part of a model. */
    public EmbeddingLayer head(LoadedModel current, HeadMode mode) throws AdminException {
        budget.require("head mode " + mode.wireName(), current.familyBytes(), headBytes(current, mode));
        return current.buildHead(mode, Map.of(), heads, team);
    }

    /** Takes over the tensors, also if it throws. */
    private LoadedModel successor(LoadedModel current, boolean tied, Map<String, OwnedTensor> replaced) {
        boolean done = false;
        @Nullable EmbeddingLayer head = null;
        try {
            if (tied != current.blueprint().tied() || replaced.keySet().stream().anyMatch(current::makesTheHead)) {
                HeadMode mode = tied ? current.headMode() : HeadMode.PACKED;
                head = current.buildHead(tied, mode, replaced, heads, team);
            }
            LoadedModel next = current.successor(tied, replaced, head);
            done = true;
            return next;
        } finally {
            if (!done) {
                if (head != null) {
                    head.close();
                }
                replaced.values().forEach(OwnedTensor::close);
            }
        }
    }

    /** @throws AdminException {@code budget_exceeded} if so many bytes do not fit beside all versions */
    public void requireRoom(String what, LoadedModel current, long bytes) throws AdminException {
        budget.require(what, current.familyBytes(), bytes);
    }

    private void requireRoom(LoadedModel current, Set<String> replaced) throws AdminException {
        long bytes = 0;
        for (String name : replaced) {
            bytes += 2 * patchedBytes(Refusals.tensor(current, current.tiedTo(name).orElse(name))); // the new one and, while updates are replayed, the one before
        }
        if (replaced.stream().anyMatch(current::makesTheHead)) {
            bytes += headBytes(current, current.headMode());
        }
        budget.require("a new version of " + String.join(", ", replaced), current.familyBytes(), bytes);
    }

    private static long patchedBytes(WeightTensor tensor) {
        return switch (tensor) {
            case WeightTensor.Vector v -> v.bytes();
            case WeightTensor.Matrix(PanelMatrix panels) ->
                panels.rows() * panels.format().rowBytes(panels.columns());
        };
    }

    /** Bytes that a head of this mode takes beside the tensors, at its peak. */
    public static long headBytes(LoadedModel model, HeadMode mode) {
        return mode.peakBytes(model.blueprint().vocabularySize(), model.blueprint().hiddenSize());
    }
}
