package dev.tidestream.server.epoch;

import dev.tidestream.model.transformer.LanguageModel;

/**
 * One version of the weights and all that is derived from it. Immutable; freed as a whole.
 *
 * @param weightsVersion rises by one per committed update
 * @param model computes with these weights; called by the decode thread only
 * @param closeAction gives the memory back; run once, by whoever ends the last lease after the epoch was superseded
 */
public record ModelEpoch(long weightsVersion, LanguageModel model, Runnable closeAction) {}
