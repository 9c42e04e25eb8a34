package dev.tidestream.server.openai.wire;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Urgency;

/**
 * What completions and chat completions have in common.
 *
 * @param model as the client calls it; null for whichever is served
 * @param n choices of each prompt
 * @param maxTokens most tokens of a choice; absent: as the endpoint says
 * @param sampling how tokens are chosen, without the seed
 * @param seed of the first choice of each prompt; the j-th has {@code seed + j}
 * @param stop strings that end a choice
 * @param topLogprobs -1: none; 0: of the chosen token; n: also of the n most likely ones
 * @param stream whether the answer comes token by token
 * @param includeUsage whether a streamed answer ends with the counts
 * @param returnTokenIds whether token ids are told
 * @param weights what to do when new weights are published
 * @param urgency before whom it comes, and how long each choice may take
 * @param parseSpecial take names of control tokens in text for those tokens
 * @param receipt whether the end of each choice has a receipt
 */
public record TokenRequest(
        @Nullable String model,
        int n,
        OptionalInt maxTokens,
        SamplingOptions sampling,
        OptionalLong seed,
        List<String> stop,
        int topLogprobs,
        boolean stream,
        boolean includeUsage,
        boolean returnTokenIds,
        WeightsPolicy weights,
        Urgency urgency,
        boolean parseSpecial,
        boolean receipt) {

    /** The same with the earlier of its deadline and another, in milliseconds. */
    public TokenRequest within(long deadlineMs) {
        return new TokenRequest(model, n, maxTokens, sampling, seed, stop, topLogprobs, stream, includeUsage, returnTokenIds, weights,
                urgency.within(deadlineMs), parseSpecial, receipt);
    }
}
