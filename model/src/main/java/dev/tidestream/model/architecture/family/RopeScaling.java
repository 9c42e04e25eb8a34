package dev.tidestream.model.architecture.family;

import java.util.Optional;
import java.util.Set;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.architecture.TensorNames;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.architecture.Yarn;

/**
 * How positions are scaled before they rotate queries and keys, by {@code rope.scaling.type} of the GGUF specification:
 *
 * <ul>
 *   <li>{@code none}: not at all;
 *   <li>{@code linear}: all by {@code rope.scaling.factor} ("position interpolation", Chen et al. 2023); older files have
 *       {@code rope.scale_linear} for the factor. As in llama.cpp, a factor without a type is linear;
 *   <li>{@code yarn}: frequencies by how often they rotate ({@link Yarn});
 *   <li>{@code longrope}, or no type: by the tensor of long factors, if the context is longer than
 *       {@code rope.scaling.original_context_length}, else by that of short ones (Ding et al. 2024).
 * </ul>
 *
 * Llama 3's scaling is a tensor of factors ({@link TensorRole#ROTATION_FACTORS}) in a GGUF file, and needs no key.
 */
final class RopeScaling {
    private static final String TYPE = "rope.scaling.type";
    private static final String FACTOR = "rope.scaling.factor";
    private static final String OLD_FACTOR = "rope.scale_linear";
    private static final String ORIGINAL = "rope.scaling.original_context_length";
    private static final String AMPLITUDE = "rope.scaling.attn_factor";
    private static final String YARN_AMPLITUDE = "rope.scaling.yarn_attn_factor";
    private static final String EXTRAPOLATION = "rope.scaling.yarn_ext_factor";
    private static final String BETA_FAST = "rope.scaling.yarn_beta_fast";
    private static final String BETA_SLOW = "rope.scaling.yarn_beta_slow";
    private static final String NONE = "none";
    private static final String LINEAR = "linear";
    private static final String YARN = "yarn";
    private static final String LONG = "longrope";
    private static final float DEFAULT_BETA_FAST = 32;
    private static final float DEFAULT_BETA_SLOW = 1;

    /** Short names of the keys that are read. */
    static final Set<String> KEYS = Set.of(
            TYPE, FACTOR, OLD_FACTOR, ORIGINAL, AMPLITUDE, YARN_AMPLITUDE, EXTRAPOLATION, BETA_FAST, BETA_SLOW);

    private RopeScaling() {}

    /**
     * A rotation, scaled as the metadata says.
     *
     * @throws ModelException if the type is not known, a number is out of its range, or two factors contradict each other
     */
    static Rotation rotation(ModelMetadata metadata, TensorNames names, Rotation.Pairing pairing, int dimensions, float theta) {
        boolean hasFactor = metadata.contains(FACTOR) || metadata.contains(OLD_FACTOR);
        Optional<TensorRole> factors = factors(metadata, names);
        String type = metadata.findString(TYPE).orElse(hasFactor ? LINEAR : factors.isPresent() ? LONG : NONE);
        float amplitude = metadata.positive(AMPLITUDE, 1);
        if (!type.equals(YARN)) {
            refuseUnlessOne(metadata, YARN_AMPLITUDE);
        }
        float extrapolation = metadata.number(EXTRAPOLATION, -1); // -1: by the type
        if (extrapolation != -1 && extrapolation != (type.equals(YARN) ? 1 : 0)) {
            throw metadata.refused(EXTRAPOLATION, extrapolation, "is not supported: the type %s has another".formatted(type));
        }
        return switch (type) {
            case NONE -> new Rotation(pairing, dimensions, theta, 1, factors, Optional.empty(), amplitude);
            case LINEAR -> new Rotation(pairing, dimensions, theta, 1f / factor(metadata), factors, Optional.empty(), amplitude);
            case YARN -> {
                Yarn yarn = new Yarn(factor(metadata), metadata.count(ORIGINAL, metadata.contextLength(), Integer.MAX_VALUE),
                        metadata.positive(BETA_FAST, DEFAULT_BETA_FAST), metadata.positive(BETA_SLOW, DEFAULT_BETA_SLOW));
                yield new Rotation(pairing, dimensions, theta, 1, factors, Optional.of(yarn),
                        amplitude * metadata.positive(YARN_AMPLITUDE, 1) * yarn.amplitude());
            }
            case LONG -> {
                if (factors.isEmpty()) {
                    throw metadata.refused(TYPE, type, "needs a tensor of factors, and the file has none");
                }
                yield new Rotation(pairing, dimensions, theta, 1, factors, Optional.empty(), amplitude);
            }
            default -> throw metadata.refused(TYPE, type, "is not supported (supported: none, linear, yarn, longrope)");
        };
    }

    private static Optional<TensorRole> factors(ModelMetadata metadata, TensorNames names) {
        boolean isLong = metadata.contextLength() > metadata.count(ORIGINAL, metadata.contextLength(), Integer.MAX_VALUE);
        TensorRole byLength = isLong ? TensorRole.ROTATION_FACTORS_LONG : TensorRole.ROTATION_FACTORS_SHORT;
        return Set.of(TensorRole.ROTATION_FACTORS, byLength).stream()
                .filter(role -> names.find(role).filter(metadata::hasTensor).isPresent())
                .sorted().findFirst();
    }

    private static void refuseUnlessOne(ModelMetadata metadata, String name) {
        float value = metadata.number(name, 1);
        if (value != 1) {
            throw metadata.refused(name, value, "is not supported: it is of YaRN, which is not asked for");
        }
    }

    private static float factor(ModelMetadata metadata) {
        if (!metadata.contains(FACTOR) && !metadata.contains(OLD_FACTOR)) {
            throw metadata.refused(TYPE, metadata.findString(TYPE).orElse(LINEAR),
                    "needs a factor: %s is missing".formatted(metadata.key(FACTOR)));
        }
        if (!metadata.contains(OLD_FACTOR)) {
            return divisor(metadata, FACTOR);
        }
        float old = divisor(metadata, OLD_FACTOR);
        if (metadata.contains(FACTOR) && divisor(metadata, FACTOR) != old) {
            throw metadata.refused(OLD_FACTOR, old,
                    "contradicts %s=%s".formatted(metadata.key(FACTOR), metadata.positive(FACTOR)));
        }
        return old;
    }

    private static float divisor(ModelMetadata metadata, String name) {
        float factor = metadata.positive(name);
        if (!Float.isFinite(1f / factor)) {
            throw metadata.refused(name, factor, "is too small: positions are divided by it");
        }
        return factor;
    }
}
