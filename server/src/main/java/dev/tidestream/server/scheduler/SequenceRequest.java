package dev.tidestream.server.scheduler;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sampler;
import dev.tidestream.model.sampling.StopMatcher;
import dev.tidestream.model.tokenizer.IncrementalDetokenizer;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.scheduler.fair.Party;

/**
 * What a sequence is made of: a tokenized, validated request. Handed to the decode thread once and for all.
 *
 * @param stream the server's number of the stream
 * @param party whose it is: equal ones share slots, turns and their part of the queue
 * @param prompt ids of the vocabulary {@code (n)}, at least one
 * @param maxTokens most tokens to generate; 0: none
 * @param promptLogprobs -1: none; else so many of the most likely tokens in the place of each of the prompt, beside its own log-probability
 * @param endOfGeneration the tokens that end the stream
 * @param generated ids of the tokens that it made before, if it goes on {@code (n)}; sampler, detokenizer and stop matcher know them
 * @param weightsVersion the version it needs; -1: the newest
 * @param urgency before whom it comes, and until when after its arrival it has to be done
 * @param adapter that it is computed with; null for the base alone
 * @param memory what it holds, tokens apart
 * @param arrivalNs when the request came, on the scheduler's clock
 */
public record SequenceRequest(
        long stream,
        Party party,
        int[] prompt,
        int maxTokens,
        int promptLogprobs,
        WeightsPolicy weights,
        Sampler sampler,
        IncrementalDetokenizer detokenizer,
        StopMatcher stopMatcher,
        IntPredicate endOfGeneration,
        int[] generated,
        long weightsVersion,
        Urgency urgency,
        @Nullable ServedAdapter adapter,
        Memory memory,
        long arrivalNs,
        SequenceClient client) {
    private static final int[] NO_TOKENS = {};

    /** Prompt and what was generated before, in one array that the sequence may have. */
    int[] tokens() {
        int[] all = Arrays.copyOf(prompt, prompt.length + generated.length);
        System.arraycopy(generated, 0, all, prompt.length, generated.length);
        return all;
    }

    /** The same as urgent as that. */
    public SequenceRequest asUrgentAs(Urgency other) {
        return new SequenceRequest(stream, party, prompt, maxTokens, promptLogprobs, weights, sampler, detokenizer, stopMatcher,
                endOfGeneration, generated, weightsVersion, other, adapter, memory, arrivalNs, client);
    }

    /** Nanoseconds until it has to be done, 0 or less if it is too late; {@code Long.MAX_VALUE} if it has time. */
    long untilDeadlineNs(long nowNs) {
        return urgency.hasDeadline() ? TimeUnit.MILLISECONDS.toNanos(urgency.deadlineMs()) - (nowNs - arrivalNs) : Long.MAX_VALUE;
    }

    /** A request whose stream begins, with the newest weights; of a client with one connection. */
    public SequenceRequest(
            long stream,
            Object connection,
            int[] prompt,
            int maxTokens,
            int promptLogprobs,
            WeightsPolicy weights,
            Sampler sampler,
            IncrementalDetokenizer detokenizer,
            StopMatcher stopMatcher,
            IntPredicate endOfGeneration,
            Memory memory,
            long arrivalNs,
            SequenceClient client) {
        this(stream, new Party(connection, connection), prompt, maxTokens, promptLogprobs, weights, sampler, detokenizer, stopMatcher,
                endOfGeneration, NO_TOKENS, -1, Urgency.DEFAULT, null, memory, arrivalNs, client);
    }

    /** A request that does not ask how likely its prompt is. */
    public SequenceRequest(
            long stream,
            Object connection,
            int[] prompt,
            int maxTokens,
            WeightsPolicy weights,
            Sampler sampler,
            IncrementalDetokenizer detokenizer,
            StopMatcher stopMatcher,
            IntPredicate endOfGeneration,
            Memory memory,
            long arrivalNs,
            SequenceClient client) {
        this(stream, connection, prompt, maxTokens, -1, weights, sampler, detokenizer, stopMatcher, endOfGeneration, memory, arrivalNs, client);
    }

    /** The same with an adapter. */
    public SequenceRequest withAdapter(ServedAdapter other) {
        return new SequenceRequest(stream, party, prompt, maxTokens, promptLogprobs, weights, sampler, detokenizer, stopMatcher,
                endOfGeneration, generated, weightsVersion, urgency, other, memory, arrivalNs, client);
    }

    /**
     * An upper estimate of the memory of a sequence.
     *
     * @param fixedBytes sampler, stop strings and the like
     * @param bytesPerToken of the prompt and the output, at least 4
     */
    public record Memory(long fixedBytes, int bytesPerToken) {

        /** With so many tokens. */
        public long bytes(int tokens) {
            return fixedBytes + (long) tokens * bytesPerToken;
        }
    }
}
