package dev.tidestream.server.scheduler;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tied.HeadMode;

/**
 * The result of one step of one sequence.
 *
 * @param seq 0 for the first token generated
 * @param sample the token and its log-probabilities
 * @param text what may be given out now
 * @param weightsVersion the version that made it
 * @param headMode how its logits were computed
 * @param completion present if it is the last
 */
public record GeneratedToken(int seq, Sample sample, String text, long weightsVersion, HeadMode headMode, @Nullable Completion completion) {}
