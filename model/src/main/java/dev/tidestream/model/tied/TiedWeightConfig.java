package dev.tidestream.model.tied;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.tied.TiedWeightException.DimensionMismatch;
import dev.tidestream.model.tied.TiedWeightException.InvalidTiedWeightShape;
import dev.tidestream.model.tied.TiedWeightException.NoTiedWeights;

/**
 * What is known of a tied weight before it is packed, checked.
 *
 * @param vocabularySize V, rows
 * @param hiddenSize H, columns
 * @param format of its elements
 */
public record TiedWeightConfig(int vocabularySize, int hiddenSize, TensorFormat format) {

    /** @throws InvalidTiedWeightShape if a size is below 1, or H is not a whole number of the format's blocks */
    public TiedWeightConfig {
        if (vocabularySize < 1 || hiddenSize < 1) {
            throw new InvalidTiedWeightShape("tied weight must be [vocab, hidden] with both at least 1: vocab=%d, hidden=%d"
                    .formatted(vocabularySize, hiddenSize));
        }
        if (hiddenSize % format.blockElements() != 0) {
            throw new InvalidTiedWeightShape("tied weight in %s needs hidden in multiples of %d: hidden=%d"
                    .formatted(format, format.blockElements(), hiddenSize));
        }
    }

    /**
     * Checks a model's description.
     *
     * @param shape of the embedding, {@code [vocab, hidden]}
     * @param dtype name of its format, as in GGUF
     * @param hiddenSize H according to the model's configuration
     * @param tied whether the configuration says the weight is tied
     * @param hasOutputWeight whether the file has an output matrix of its own
     * @throws InvalidTiedWeightShape if the shape has not two dimensions, a size of no use, or a format that cannot be used
     * @throws DimensionMismatch if H differs from the configuration's
     * @throws NoTiedWeights if the weight is not tied, or is said to be and an output matrix is there all the same
     */
    public static TiedWeightConfig validate(
            List<Long> shape, String dtype, long hiddenSize, boolean tied, boolean hasOutputWeight) {
        if (!tied) {
            throw new NoTiedWeights("the model's output matrix is not tied to its embedding");
        }
        if (hasOutputWeight) {
            throw new NoTiedWeights("the configuration says tied, but there is an output.weight");
        }
        if (shape.size() != 2 || shape.stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
            throw new InvalidTiedWeightShape("tied weight must be [vocab, hidden] with both at least 1: shape=" + shape);
        }
        TensorFormat format = TensorFormat.find(dtype.toUpperCase(Locale.ROOT))
                .orElseThrow(() -> new InvalidTiedWeightShape("tied weight has a dtype that cannot be used: dtype=%s, usable=%s"
                        .formatted(dtype, Arrays.toString(TensorFormat.values()))));
        if (shape.get(1) != hiddenSize) {
            throw new DimensionMismatch(
                    "tied weight does not fit the model: hidden=%d, model hidden=%d".formatted(shape.get(1), hiddenSize));
        }
        return new TiedWeightConfig(Math.toIntExact(shape.get(0)), Math.toIntExact(shape.get(1)), format);
    }
}
