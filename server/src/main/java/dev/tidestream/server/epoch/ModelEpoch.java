package dev.tidestream.server.epoch;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.transformer.LanguageModel;

/**
 * One version of the weights and all that is derived from it. Immutable; freed as a whole.
 *
 * @param weightsVersion rises by one per committed update
 * @param headMode how logits are computed; two epochs of one version may differ in this
 * @param model computes with these weights; called by the decode thread only
 * @param memory freed once, by whoever ends the last lease after the epoch was superseded
 */
public record ModelEpoch(long weightsVersion, HeadMode headMode, LanguageModel model, EpochMemory memory) {}
