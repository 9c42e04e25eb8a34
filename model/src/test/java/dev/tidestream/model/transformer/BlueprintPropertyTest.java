package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.Yarn;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.PanelLayout;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.ActivationFunction;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tensor.panel.PanelPacker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Models of random blueprints, every part of which is there in some of them, against a forward pass in double. */
class BlueprintPropertyTest {
    private static final long SEED = 20261130;
    private static final int MODELS = 60;
    private static final int VOCABULARY = 70;
    private static final int CONTEXT = 128;
    private static final int LENGTH = 100; // windows are up to that long, so that blocks of KV caches are used again
    private static final float THETA = 300f;
    private static final Set<TensorRole> OF_NO_LAYER = EnumSet.of(
            TensorRole.EMBEDDING, TensorRole.POSITIONS, TensorRole.OUTPUT_NORM, TensorRole.ROTATION_FACTORS,
            TensorRole.ROTATION_FACTORS_LONG, TensorRole.ROTATION_FACTORS_SHORT, TensorRole.OUTPUT);

    static Stream<Long> seeds() {
        return Stream.iterate(SEED, seed -> seed + 1).limit(MODELS);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void shouldComputeWhatTheBlueprintSays(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Blueprint blueprint = blueprint(random);
        TensorPlan plan = new TensorPlan(blueprint, names());
        Map<String, float[]> tensors = tensors(plan, random);
        int[] tokens = random.ints(LENGTH, 0, VOCABULARY).toArray();
        double[][] exact = new ReferenceForward(plan, tensors).logits(tokens);

        float[] all = logits(plan, tensors, KernelSelection.fastest(), tokens, LENGTH);
        for (int i = 0; i < all.length; i++) {
            double expected = exact[i / VOCABULARY][i % VOCABULARY];
            int at = i;
            assertTrue(Double.isFinite(expected), () -> "seed=%d, i=%d, %s".formatted(seed, at, blueprint));
            assertEquals(expected, all[i], 1e-4 * Math.max(1, Math.abs(expected)),
                    () -> "seed=%d, i=%d, %s".formatted(seed, at, blueprint));
        }
        assertArrayEquals(logits(plan, tensors, KernelSelection.scalar(), tokens, LENGTH), all, "scalar");
        assertArrayEquals(logits(plan, tensors, KernelSelection.vector(), tokens, 1), all, "token by token");
        assertArrayEquals(logits(plan, tensors, KernelSelection.fastest(), tokens, 7), all, "in pieces");
    }

    private static float[] logits(TensorPlan plan, Map<String, float[]> tensors, Kernels kernels, int[] tokens, int chunk) {
        try (LoadedModel loaded = model(plan, tensors, kernels)) {
            return TestModels.logits(
                    loaded.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F32, chunk), tokens, chunk);
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // the model closes them
    private static LoadedModel model(TensorPlan plan, Map<String, float[]> tensors, Kernels kernels) {
        SequencedMap<String, OwnedTensor> owned = new LinkedHashMap<>();
        plan.tensors().forEach((name, planned) -> {
            float[] values = Objects.requireNonNull(tensors.get(name), name);
            if (!planned.matrix()) {
                owned.put(name, new OwnedTensor(new WeightTensor.Vector(TensorFormat.F32, values), () -> {}));
                return;
            }
            Arena arena = Arena.ofShared();
            int rows = Math.toIntExact(planned.shape().getFirst());
            owned.put(name, OwnedTensor.of(new WeightTensor.Matrix(PanelPacker.pack(name, TensorFormat.F32, rows, values.length / rows,
                    MemorySegment.ofArray(values), arena, WorkerTeam.sequential())), arena));
        });
        return LoadedModel.of(plan, owned, kernels);
    }

    private static Map<String, float[]> tensors(TensorPlan plan, SplittableRandom random) {
        Map<String, float[]> tensors = new HashMap<>();
        plan.tensors().forEach((name, planned) -> {
            long size = planned.shape().stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
            float[] values = new float[Math.toIntExact(size)];
            boolean factors = planned.role().name().startsWith("ROTATION_FACTORS");
            double spread = planned.matrix() ? 1 / Math.sqrt(planned.shape().getLast()) : 0.5;
            for (int i = 0; i < values.length; i++) {
                values[i] = factors ? 1 + random.nextInt(4) : (float) (random.nextGaussian() * spread);
            }
            tensors.put(name, values);
        });
        return tensors;
    }

    private static Blueprint blueprint(SplittableRandom random) {
        int kvHeads = 1 + random.nextInt(2);
        int heads = kvHeads * (1 + random.nextInt(3));
        int headDim = 2 * (1 + random.nextInt(20));
        int size = random.nextInt(3) == 0 ? PanelLayout.ROWS * (1 + random.nextInt(3)) : 1 + random.nextInt(150);
        boolean factors = random.nextBoolean();
        int turned = random.nextBoolean() ? headDim : 2 * (1 + random.nextInt(headDim / 2));
        List<LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            AttentionPlan attention = new AttentionPlan(heads, kvHeads, headDim, random.nextBoolean(), random.nextBoolean(),
                    random.nextBoolean(), maybe(norm(random), random), rotation(turned, factors, random),
                    random.nextInt(3) == 0 ? 1 + random.nextInt(LENGTH) : 0, random.nextFloat() + 0.1f,
                    random.nextBoolean() ? 0 : 1 + random.nextFloat(), maybe(norm(random), random));
            ActivationFunction[] functions = ActivationFunction.values();
            boolean fused = size % PanelLayout.ROWS == 0 && random.nextBoolean();
            FeedForwardPlan feedForward =
                    new FeedForwardPlan(size, functions[random.nextInt(functions.length)], fused || random.nextBoolean(),
                    fused, !fused && random.nextBoolean(), maybe(norm(random), random));
            layers.add(new LayerPlan(norm(random), maybe(norm(random), random), attention, feedForward));
        }
        return new Blueprint("random", "random", VOCABULARY, 2 + random.nextInt(100), CONTEXT,
                random.nextBoolean() ? 0 : CONTEXT + random.nextInt(5), random.nextBoolean() ? 1 : 3.5f, layers, norm(random),
                random.nextBoolean(), random.nextBoolean() ? 0 : 2f);
    }

    private static Rotation rotation(int turned, boolean factors, SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> Rotation.NONE;
            case 2 -> new Rotation(Rotation.Pairing.HALVES, turned, THETA, 1,
                    factors ? Optional.of(TensorRole.ROTATION_FACTORS_LONG) : Optional.empty(),
                    Optional.of(new Yarn(1 + random.nextInt(4), 4 + random.nextInt(60), 4, 0.5f)), 1 + random.nextFloat());
            case 1 -> new Rotation(Rotation.Pairing.HALVES, turned, random.nextBoolean() ? THETA : 2 * THETA, 1, factors);
            default -> new Rotation(Rotation.Pairing.INTERLEAVED, turned, THETA, random.nextBoolean() ? 1 : 0.25f, factors);
        };
    }

    private static NormSpec norm(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> new NormSpec.Rms(1e-5f);
            case 1 -> new NormSpec.Rms(1e-2f, 1);
            case 2 -> new NormSpec.Layer(1e-5f, true);
            default -> new NormSpec.Layer(1e-3f, false);
        };
    }

    private static Optional<NormSpec> maybe(NormSpec norm, SplittableRandom random) {
        return random.nextBoolean() ? Optional.of(norm) : Optional.empty();
    }

    private static TensorNames names() {
        TensorNames names = TensorNames.NONE;
        for (TensorRole role : TensorRole.values()) {
            String stem = role.name().toLowerCase(Locale.ROOT);
            names = names.with(role, OF_NO_LAYER.contains(role) ? stem : stem + ".%d");
        }
        return names;
    }
}
