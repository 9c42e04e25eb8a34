package dev.tidestream.server.epoch;

import java.util.function.Function;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LoadedModel;

/**
 * One version of the weights and all that is derived from it. Immutable; freed as a whole.
 *
 * @param weightsVersion rises by one per committed update
 * @param headMode how logits are computed; two epochs of one version may differ in this
 * @param model computes with these weights; called by the decode thread only
 * @param memory freed once, by whoever ends the last lease after the epoch was superseded
 */
public record ModelEpoch(long weightsVersion, HeadMode headMode, LanguageModel model, EpochMemory memory) {

    /**
     * An epoch that owns its weights.
     *
     * @param forward a forward pass over them
     */
    public static ModelEpoch of(long weightsVersion, LoadedModel loaded, Function<LoadedModel, LanguageModel> forward) {
        return new ModelEpoch(weightsVersion, loaded.headMode(), forward.apply(loaded), new OwnedModel(loaded));
    }

    /**
     * The weights that {@link #model} computes with.
     *
     * @throws IllegalStateException if the epoch does not own them, as in a warm-up
     */
    public LoadedModel loaded() {
        if (memory instanceof OwnedModel(LoadedModel version)) {
            return version;
        }
        throw new IllegalStateException("the epoch does not own its weights: weights_version=" + weightsVersion);
    }
}
