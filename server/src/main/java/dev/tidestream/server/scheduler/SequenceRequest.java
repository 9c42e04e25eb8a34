package dev.tidestream.server.scheduler;

import java.util.function.IntPredicate;

import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.protocol.WeightsPolicy;

/**
 * What a sequence is made of: a tokenized, validated request. Handed to the decode thread once and for all.
 *
 * @param stream the server's number of the stream
 * @param prompt ids of the vocabulary {@code (n)}, at least one
 * @param maxTokens most tokens to generate, at least 1
 * @param endOfGeneration the tokens that end the stream
 * @param arrivalNs when the request came, on the scheduler's clock
 */
public record SequenceRequest(
        long stream,
        int[] prompt,
        int maxTokens,
        WeightsPolicy weights,
        Sampler sampler,
        IncrementalDetokenizer detokenizer,
        StopMatcher stopMatcher,
        IntPredicate endOfGeneration,
        long arrivalNs,
        SequenceClient client) {}
