package dev.tidestream.protocol;

import java.util.Map;
import java.util.OptionalLong;

/**
 * How the next token is chosen; the {@code sampling} object of a {@code generate} message.
 *
 * @param temperature 0 for greedy, at most 100
 * @param topK keep the k most likely; 0 keeps all
 * @param topP keep the smallest set whose probability reaches p; 1 keeps all
 * @param minP keep tokens at least this fraction as likely as the most likely one; 0 keeps all
 * @param repetitionPenalty divides (multiplies, if negative) the logits of tokens seen; 1 is off
 * @param presencePenalty subtracted once from the logit of each token generated so far; 0 is off
 * @param frequencyPenalty subtracted per occurrence from the logit of each token generated so far; 0 is off
 * @param logitBias added to the logit of a token id
 * @param seed of the stream's random numbers; absent: the server chooses one and says which
 */
public record SamplingOptions(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias,
        OptionalLong seed) {

    /** Temperature 1 over the whole vocabulary, nothing else. */
    public static final SamplingOptions DEFAULT =
            new SamplingOptions(1f, 0, 1f, 0f, 1f, 0f, 0f, Map.of(), OptionalLong.empty());

    public SamplingOptions {
        logitBias = Map.copyOf(logitBias);
    }

    /** The same with this seed. */
    public SamplingOptions withSeed(long newSeed) {
        return new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias,
                OptionalLong.of(newSeed));
    }
}
