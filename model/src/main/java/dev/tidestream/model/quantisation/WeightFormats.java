package dev.tidestream.model.quantisation;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

import dev.tidestream.model.architecture.TensorPlan;
import dev.tidestream.model.architecture.TensorRole;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.format.base.ActivationScaling;

/**
 * The formats that somebody asks weights to be held in, whatever the file has them in. What is asked for counts for matrices;
 * norms, biases
 * and learned positions stay as they are, and so do ternary matrices of layers (but for another ternary format), since
 * activations are made for them as they were trained.
 *
 * <p>The <i>head</i> is the matrix that logits are made with: the output matrix, or the embedding of a model that ties both.
 * There is one
 * copy of a tied matrix, so its format is that of lookups, too (ADR 25). Without a format of its own, the head is {@link #headOf}
 * the
 * format of the weights.
 *
 * <p>A row that is no whole number of a format's blocks takes {@link TensorFormat#fitting}.
 *
 * @param weights of matrices; empty for the file's own
 * @param head of the head; empty for what follows from {@code weights}
 */
public record WeightFormats(Optional<TensorFormat> weights, Optional<TensorFormat> head) {
    /** Every tensor as the file has it. */
    public static final WeightFormats AS_THEY_ARE = new WeightFormats(Optional.empty(), Optional.empty());

    public WeightFormats {
        for (Optional<TensorFormat> format : List.of(weights, head)) {
            if (format.isPresent() && !choices().contains(format.get())) {
                throw new IllegalArgumentException("weights cannot be brought into %s: one of %s".formatted(format.get(), choices()));
            }
        }
    }

    /** Formats that one may ask for: all but I2_S, which has one scale for a whole matrix. */
    public static List<TensorFormat> choices() {
        return Arrays.stream(TensorFormat.values()).filter(format -> format != TensorFormat.I2_S).toList();
    }

    /** Whether every tensor stays as it is. */
    public boolean asTheyAre() {
        return weights.isEmpty() && head.isEmpty();
    }

    /**
     * The format that a tensor is held in.
     *
     * @param tied whether the model ties its embedding
     * @param file what the file has it in
     */
    public TensorFormat of(TensorPlan.Planned tensor, boolean tied, TensorFormat file) {
        if (!tensor.matrix() || tensor.role() == TensorRole.POSITIONS) {
            return file;
        }
        boolean isHead = tensor.role() == (tied ? TensorRole.EMBEDDING : TensorRole.OUTPUT);
        boolean stays = !isHead && ternary(file) && !weights.map(WeightFormats::ternary).orElse(false);
        Optional<TensorFormat> wanted = isHead ? head.or(() -> weights.map(WeightFormats::headOf)) : stays ? Optional.empty() : weights;
        return wanted.filter(format -> format != file)
                .map(format -> format.fitting(Math.toIntExact(tensor.shape().getLast()))).orElse(file);
    }

    private static boolean ternary(TensorFormat format) {
        return format.activations() == ActivationScaling.ROW;
    }

    /** The format of the head that goes with weights of some format: Q6_K where they take fewer bits, as in llama.cpp's files. */
    public static TensorFormat headOf(TensorFormat weights) {
        TensorFormat least = TensorFormat.Q6_K;
        boolean fewer = (long) weights.blockBytes() * least.blockElements() < (long) least.blockBytes() * weights.blockElements();
        return fewer ? least : weights;
    }

    /** As options, e.g. {@code weights=q4_k, head-format=q8_0}; empty if every tensor stays as it is. */
    public String words() {
        String ofWeights = weights.map(format -> "weights=" + name(format)).orElse("");
        String ofHead = head.map(format -> "head-format=" + name(format)).orElse("");
        return ofWeights.isEmpty() || ofHead.isEmpty() ? ofWeights + ofHead : ofWeights + ", " + ofHead;
    }

    private static String name(TensorFormat format) {
        return format.name().toLowerCase(Locale.ROOT);
    }
}
