package dev.tidestream.model.architecture;

import java.util.Set;

/**
 * How positions are scaled before they turn queries and keys: not at all, or all of them by one factor ("position
 * interpolation", Chen et al. 2023). Keys of the GGUF specification: {@code rope.scaling.type} and {@code rope.scaling.factor};
 * older files have {@code rope.scale_linear} for the factor. As in llama.cpp, a factor without a type is linear, and the type
 * {@code none} is never scaled.
 */
final class RopeScaling {
    private static final String TYPE = "rope.scaling.type";
    private static final String FACTOR = "rope.scaling.factor";
    private static final String OLD_FACTOR = "rope.scale_linear";
    private static final String NONE = "none";
    private static final String LINEAR = "linear";

    /** Short names of the keys that are read. */
    static final Set<String> KEYS = Set.of(TYPE, FACTOR, OLD_FACTOR);

    private RopeScaling() {}

    /**
     * What positions are multiplied by: 1 if they are not scaled, else {@code 1 / factor}.
     *
     * @throws ModelException if the type is not known, a factor is no finite number above 0, or two factors contradict each other
     */
    static float positionScale(ModelMetadata metadata) {
        boolean hasFactor = metadata.contains(FACTOR) || metadata.contains(OLD_FACTOR);
        String type = metadata.findString(TYPE).orElse(hasFactor ? LINEAR : NONE);
        return switch (type) {
            case NONE -> 1f;
            case LINEAR -> 1f / factor(metadata);
            default -> throw metadata.refused(TYPE, type, "is not supported (supported: none, linear)");
        };
    }

    private static float factor(ModelMetadata metadata) {
        if (!metadata.contains(FACTOR) && !metadata.contains(OLD_FACTOR)) {
            throw metadata.refused(TYPE, LINEAR, "needs a factor: %s is missing".formatted(metadata.key(FACTOR)));
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
