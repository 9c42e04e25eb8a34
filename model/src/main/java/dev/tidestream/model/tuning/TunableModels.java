package dev.tidestream.model.tuning;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.FeedForwardPlan;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.architecture.NormSpec;
import dev.tidestream.model.architecture.Rotation;

/** Which models can be tuned: those whose derivative was written. */
final class TunableModels {
    private static final String LLAMA = "llama";
    private static final long MOST_PARAMETERS = 200_000_000;

    private TunableModels() {}

    /** @throws TuningException if this model cannot be tuned; names the model and what is in the way */
    static void require(Blueprint blueprint) {
        if (!blueprint.architecture().equals(LLAMA)) {
            throw refused(blueprint, "only models of the architecture llama can be tuned");
        }
        boolean plain = blueprint.embeddingScale() == 1 && blueprint.logitSoftcap() == 0 && blueprint.learnedPositions() == 0
                && blueprint.outputNorm() instanceof NormSpec.Rms;
        for (LayerPlan layer : blueprint.layers()) {
            plain &= layer.after().isEmpty() && layer.before() instanceof NormSpec.Rms rms && rms.weightOffset() == 0
                    && plain(layer.attention()) && plain(layer.feedForward());
        }
        if (!plain) {
            throw refused(blueprint, "it has parts that LLaMA has not: " + blueprint.words());
        }
        long parameters = parameters(blueprint);
        if (parameters > MOST_PARAMETERS) {
            throw refused(blueprint, "it is too large: parameters=%d, limit=%d".formatted(parameters, MOST_PARAMETERS));
        }
    }

    private static boolean plain(AttentionPlan attention) {
        return !attention.fused() && !attention.bias() && !attention.outputBias() && attention.queryKeyNorm().isEmpty()
                && attention.innerNorm().isEmpty() && attention.softcap() == 0 && attention.window() == 0
                && attention.rotation().pairing() == Rotation.Pairing.INTERLEAVED;
    }

    private static boolean plain(FeedForwardPlan feedForward) {
        return feedForward.gated() && !feedForward.fused() && !feedForward.bias() && feedForward.innerNorm().isEmpty()
                && feedForward.function().name().equals("SILU");
    }

    private static long parameters(Blueprint blueprint) {
        long hidden = blueprint.hiddenSize();
        long layer = 2 * hidden * (blueprint.queryDim() + blueprint.kvDim()) + 3 * hidden * blueprint.feedForwardSize();
        return blueprint.layers().size() * layer + (blueprint.tied() ? 1 : 2) * hidden * blueprint.vocabularySize();
    }

    private static TuningException refused(Blueprint blueprint, String reason) {
        return new TuningException("cannot tune '%s' (architecture=%s): %s".formatted(blueprint.name(), blueprint.architecture(), reason));
    }
}
