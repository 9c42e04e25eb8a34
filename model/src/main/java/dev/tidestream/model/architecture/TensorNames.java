package dev.tidestream.model.architecture;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Under which name a file has the tensor of a role: the name without {@code .weight}, with {@code %d} for the layer. Immutable. */
public final class TensorNames {
    /** Of no tensor. */
    public static final TensorNames NONE = new TensorNames(Map.of());

    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";

    private final Map<TensorRole, String> stems;

    private TensorNames(Map<TensorRole, String> stems) {
        this.stems = stems;
    }

    /** The same, and one more, or another in its place. */
    public TensorNames with(TensorRole role, String stem) {
        Map<TensorRole, String> more = new EnumMap<>(TensorRole.class);
        more.putAll(stems);
        more.put(role, stem);
        return new TensorNames(more);
    }

    /** Name of the weight of a tensor that no layer has for itself, if this family has it at all. */
    public Optional<String> find(TensorRole role) {
        return Optional.ofNullable(stems.get(role)).map(stem -> stem + WEIGHT);
    }

    /** Name of the weight of a tensor that no layer has for itself. */
    public String weight(TensorRole role) {
        return stem(role) + WEIGHT;
    }

    /** Name of the weight of a layer's tensor; of others the layer does not matter. */
    public String weight(TensorRole role, int layer) {
        return stem(role).formatted(layer) + WEIGHT;
    }

    /** Name of the bias of a layer's tensor; of others the layer does not matter. */
    public String bias(TensorRole role, int layer) {
        return stem(role).formatted(layer) + BIAS;
    }

    private String stem(TensorRole role) {
        String stem = stems.get(role);
        if (stem == null) {
            throw new IllegalArgumentException("no name for the tensor: role=" + role);
        }
        return stem;
    }
}
