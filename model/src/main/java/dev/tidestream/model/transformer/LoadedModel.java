package dev.tidestream.model.transformer;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.PanelMatrix;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedEmbedding;
import dev.tidestream.model.tied.TiedWeightConfig;
import dev.tidestream.model.tied.TiedWeightException;
import dev.tidestream.model.tied.UntiedEmbedding;

/**
 * One version of a model: blueprint, tensors by name, and the head that is derived from them. Immutable; any thread.
 *
 * <p>Versions share what they have in common. A tensor, and a head with its derived layout, are freed when the last version that
 * uses them is closed; so an update of one tensor costs the memory of that tensor, and closing an old version gives back exactly
 * what no other one needs.
 */
public final class LoadedModel implements AutoCloseable {
    private final TensorPlan plan;
    private final SequencedMap<String, Shared<WeightTensor>> tensors;
    private final Shared<EmbeddingLayer> head;
    private final Kernels kernels;
    private final AtomicLong familyBytes; // of all versions together
    private final ModelWeights weights;
    private final AtomicBoolean open = new AtomicBoolean(true);

    private LoadedModel(
            TensorPlan plan,
            SequencedMap<String, Shared<WeightTensor>> tensors,
            Shared<EmbeddingLayer> head,
            Kernels kernels,
            AtomicLong familyBytes) {
        this.plan = plan;
        this.tensors = tensors;
        this.head = head;
        this.kernels = kernels;
        this.familyBytes = familyBytes;
        this.weights = new WeightsAssembly(plan, this::value).weights(head.value());
    }

    /** The first version, with the packed head. Takes over the tensors, unless it throws. */
    static LoadedModel of(TensorPlan plan, SequencedMap<String, OwnedTensor> owned, Kernels kernels) {
        AtomicLong familyBytes = new AtomicLong();
        SequencedMap<String, Shared<WeightTensor>> tensors = new LinkedHashMap<>();
        owned.forEach((name, tensor) -> tensors.put(name, shared(tensor, familyBytes)));
        PanelMatrix embedding = panels(owned.get(plan.names().weight(TensorRole.EMBEDDING)));
        EmbeddingLayer layer = plan.blueprint().tied()
                ? new TiedEmbedding(tiedConfig(embedding), embedding, kernels)
                : new UntiedEmbedding(embedding, panels(owned.get(plan.names().weight(TensorRole.OUTPUT))), kernels);
        return new LoadedModel(plan, tensors, shared(layer, familyBytes), kernels, familyBytes);
    }

    private static Shared<WeightTensor> shared(OwnedTensor owned, AtomicLong familyBytes) {
        return counted(owned.tensor(), owned.tensor().bytes(), owned.free(), familyBytes);
    }

    private static Shared<EmbeddingLayer> shared(EmbeddingLayer layer, AtomicLong familyBytes) {
        return counted(layer, layer.derivedBytes(), layer::close, familyBytes);
    }

    private static <T> Shared<T> counted(T value, long bytes, Runnable free, AtomicLong familyBytes) {
        familyBytes.addAndGet(bytes);
        return new Shared<>(value, () -> {
            free.run();
            familyBytes.addAndGet(-bytes);
        });
    }

    private static PanelMatrix panels(@Nullable OwnedTensor owned) {
        return panels(owned == null ? null : owned.tensor());
    }

    private static PanelMatrix panels(@Nullable WeightTensor tensor) {
        if (tensor instanceof WeightTensor.Matrix(PanelMatrix panels)) {
            return panels;
        }
        throw new IllegalArgumentException("not a matrix: " + tensor);
    }

    private static TiedWeightConfig tiedConfig(PanelMatrix embedding) {
        return new TiedWeightConfig(embedding.rows(), embedding.columns(), embedding.format());
    }

    private WeightTensor value(String name) {
        return shared(name).value();
    }

    private Shared<WeightTensor> shared(String name) {
        Shared<WeightTensor> shared = tensors.get(name);
        if (shared == null) {
            throw new IllegalArgumentException("no such tensor: " + name);
        }
        return shared;
    }

    public Blueprint blueprint() {
        return plan.blueprint();
    }

    /** The tensors that it has, by name and role. */
    public TensorPlan plan() {
        return plan;
    }

    /** What it computes with. */
    public Kernels kernels() {
        return kernels;
    }

    public ModelWeights weights() {
        return weights;
    }

    /** Names of all tensors. */
    public Set<String> tensorNames() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /** The tensor of this name; valid until this version is closed. */
    public Optional<WeightTensor> tensor(String name) {
        return Optional.ofNullable(tensors.get(name)).map(Shared::value);
    }

    /** The tensor that does the work of one of this name, which the model does not have: of a tied model's output matrix the embedding. */
    public Optional<String> tiedTo(String name) {
        boolean output = blueprint().tied() && plan.names().find(TensorRole.OUTPUT).equals(Optional.of(name));
        return output ? plan.names().find(TensorRole.EMBEDDING) : Optional.empty();
    }

    /** Whether a tensor is one of those that the head is made of. */
    public boolean makesTheHead(String name) {
        return plan.makesTheHead(name);
    }

    /** How the head computes. */
    public HeadMode headMode() {
        return head.value().mode();
    }

    /** Bytes of all tensors and of the head's derived layout. */
    public long bytes() {
        return tensors.values().stream().mapToLong(tensor -> tensor.value().bytes()).sum() + head.value().derivedBytes();
    }

    /** Those of {@link #bytes} that no other version uses: what closing this one would give back now. */
    public long ownBytes() {
        return tensors.values().stream().filter(Shared::sole).mapToLong(tensor -> tensor.value().bytes()).sum()
                + (head.sole() ? head.value().derivedBytes() : 0);
    }

    /** Bytes of this version and all it is related to, each tensor and layout counted once: what they take from the system. */
    public long familyBytes() {
        return familyBytes.get();
    }

    /**
     * Builds the head of a successor, which is to be handed to {@link #successor}.
     *
     * @param replaced tensors that the successor has anew
     * @param team fills a derived layout, range by range
     * @throws TiedWeightException.NoTiedWeights if another mode than packed is asked of a model that ties nothing
     */
    public EmbeddingLayer buildHead(HeadMode mode, Map<String, OwnedTensor> replaced, HeadFactory factory, WorkerTeam team) {
        return buildHead(plan.blueprint().tied(), mode, replaced, factory, team);
    }

    /** The same for a successor that is tied, or is not, whatever this one is. */
    public EmbeddingLayer buildHead(
            boolean tied, HeadMode mode, Map<String, OwnedTensor> replaced, HeadFactory factory, WorkerTeam team) {
        PanelMatrix embedding = panels(newest(plan.names().weight(TensorRole.EMBEDDING), replaced));
        if (tied) {
            return factory.build(mode, tiedConfig(embedding), embedding, kernels, team);
        }
        if (mode != HeadMode.PACKED) {
            throw new TiedWeightException.NoTiedWeights(
                    "the model's output matrix is not tied to its embedding: mode=" + mode.wireName());
        }
        return new UntiedEmbedding(embedding, panels(newest(plan.names().weight(TensorRole.OUTPUT), replaced)), kernels);
    }

    /** The name of the output head, where it is a matrix of its own; of a tied model the name that it would have, if there is one. */
    public Optional<String> outputName() {
        return plan.names().find(TensorRole.OUTPUT);
    }

    /** The name of the embedding. */
    public String embeddingName() {
        return plan.names().weight(TensorRole.EMBEDDING);
    }

    private WeightTensor newest(String name, Map<String, OwnedTensor> replaced) {
        OwnedTensor owned = replaced.get(name);
        return owned == null ? value(name) : owned.tensor();
    }

    /** Makes the head of a tied model in a mode; a test may put a broken one in its place. */
    @FunctionalInterface
    public interface HeadFactory {
        EmbeddingLayer build(
                HeadMode mode, TiedWeightConfig config, PanelMatrix embedding, Kernels kernels, WorkerTeam team);
    }

    /**
     * The version that follows: some tensors replaced, the rest shared with this one. Takes over the tensors and the head.
     *
     * @param replaced by name; the same shapes as here
     * @param newHead null to share this version's, which is possible if the tensors it is made of stay
     */
    public LoadedModel successor(Map<String, OwnedTensor> replaced, @Nullable EmbeddingLayer newHead) {
        return successor(blueprint().tied(), replaced, newHead);
    }

    /**
     * The same, tied or not, whatever this one is.
     *
     * @param replaced by name; the output matrix among them, if the successor is the first that has one
     * @param newHead as {@code tied} says
     * @throws dev.tidestream.model.architecture.ModelException if the family has no output matrix
     */
    public LoadedModel successor(boolean tied, Map<String, OwnedTensor> replaced, @Nullable EmbeddingLayer newHead) {
        TensorPlan nextPlan = plan.tied(tied);
        if (!open.get()) {
            throw new IllegalStateException("closed");
        }
        replaced.forEach((name, owned) -> {
            TensorPlan.Planned planned = nextPlan.tensors().get(name);
            if (planned == null || !planned.shape().equals(owned.tensor().shape())) {
                throw new IllegalArgumentException("tensor %s has shape %s, its successor %s"
                        .formatted(name, planned == null ? "none" : planned.shape(), owned.tensor().shape()));
            }
            if (newHead == null && nextPlan.makesTheHead(name)) {
                throw new IllegalArgumentException("a new %s needs a new head".formatted(name));
            }
        });
        if (newHead == null && tied != plan.blueprint().tied()) {
            throw new IllegalArgumentException("another tie needs a new head: tied=" + tied);
        }
        nextPlan.tensors().keySet().forEach(name -> newest(name, replaced)); // all are there, before any is taken
        SequencedMap<String, Shared<WeightTensor>> next = new LinkedHashMap<>();
        nextPlan.tensors().keySet().forEach(name -> {
            OwnedTensor owned = replaced.get(name);
            next.put(name, owned == null ? shared(name).retain() : shared(owned, familyBytes));
        });
        Shared<EmbeddingLayer> nextHead = newHead == null ? head.retain() : shared(newHead, familyBytes);
        return new LoadedModel(nextPlan, next, nextHead, kernels, familyBytes);
    }

    /** A forward pass over these weights, with an exact head, scratch space of its own and a KV cache in F16. */
    public Transformer newTransformer(WorkerTeam team, ActivationPrecision activations, int maxRows) {
        return newTransformer(team, activations, KvType.F16, maxRows);
    }

    /** A forward pass over these weights, with an exact head and scratch space of its own. */
    public Transformer newTransformer(WorkerTeam team, ActivationPrecision activations, KvType kvType, int maxRows) {
        return newTransformer(team, Precision.withExactHead(activations, kvType), maxRows);
    }

    /** A forward pass over these weights, with scratch space of its own. */
    public Transformer newTransformer(WorkerTeam team, Precision precision, int maxRows) {
        return newTransformer(team, precision, new ForwardScratch(blueprint(), maxRows), HeadProbes.NONE);
    }

    /**
     * A forward pass over these weights.
     *
     * @param precision of layers, head and KV cache
     * @param scratch shared by versions that are run by the same thread
     * @param probes told about every use of the head
     */
    public Transformer newTransformer(WorkerTeam team, Precision precision, ForwardScratch scratch, HeadProbes probes) {
        return new Transformer(blueprint(), weights, kernels, team, precision, scratch, probes);
    }

    /** Gives back the memory that no other version uses. Nobody may compute with this one any more. Again does nothing. */
    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            head.release(); // reads the embedding, so it goes first
            tensors.values().forEach(Shared::release);
        }
    }
}
