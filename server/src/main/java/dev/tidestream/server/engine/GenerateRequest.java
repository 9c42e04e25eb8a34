package dev.tidestream.server.engine;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;

/**
 * What a client asks the engine for. Exactly one of {@code prompt} and {@code tokens} is present.
 *
 * @param prompt text; tokenized by the engine, BOS added if the model wants one
 * @param parseSpecial take names of control tokens in the prompt, such as {@code <|im_start|>}, for those tokens
 * @param tokens token ids, used as they are
 * @param maxTokens most tokens to generate, at least 1
 * @param sampling how tokens are chosen
 * @param stop strings that end the stream, none of them empty; they are not part of the text
 * @param topLogprobs -1: no log-probabilities; 0: of the chosen token; n: also of the n most likely ones
 * @param weights what to do when new weights are published
 */
public record GenerateRequest(
        @Nullable String prompt,
        boolean parseSpecial,
        int @Nullable [] tokens,
        int maxTokens,
        SamplingOptions sampling,
        List<String> stop,
        int topLogprobs,
        WeightsPolicy weights) {

    /** A prompt that is text and nothing else, or token ids. */
    public GenerateRequest(
            @Nullable String prompt,
            int @Nullable [] tokens,
            int maxTokens,
            SamplingOptions sampling,
            List<String> stop,
            int topLogprobs,
            WeightsPolicy weights) {
        this(prompt, false, tokens, maxTokens, sampling, stop, topLogprobs, weights);
    }

    public GenerateRequest {
        if ((prompt == null) == (tokens == null)) {
            throw new IllegalArgumentException("exactly one of prompt and tokens must be given");
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_tokens must be at least 1: max_tokens=" + maxTokens);
        }
        stop = List.copyOf(stop);
    }
}
