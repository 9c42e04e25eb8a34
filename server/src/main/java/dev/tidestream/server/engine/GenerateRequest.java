package dev.tidestream.server.engine;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ChatMessage;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.protocol.options.WeightsWish;

/**
 * What a client asks the engine for. Exactly one of {@code prompt}, {@code messages} and {@code tokens} is present.
 *
 * @param prompt text; tokenized by the engine, BOS added if the model wants one
 * @param messages a conversation, of which the model's chat template makes the prompt; empty if there is none
 * @param parseSpecial take names of control tokens in the prompt, such as {@code <|im_start|>}, for those tokens
 * @param tokens token ids, used as they are
 * @param maxTokens most tokens to generate; 0: none, for a prompt that is to be scored
 * @param sampling how tokens are chosen
 * @param stop strings that end the stream, none of them empty; they are not part of the text
 * @param topLogprobs -1: no log-probabilities; 0: of the chosen token; n: also of the n most likely ones
 * @param promptLogprobs -1: none; 0: log-probabilities of the tokens of the prompt; n: also of the n most likely ones in their places
 * @param weights what to do when new weights are published
 * @param connection that it came on: those of equal connections share slots, queues and limits, and connections take turns
 * @param account whose request it is: accounts share with each other what there is, however many connections they have
 * @param continuation where it goes on, if it ran before
 * @param options what else is asked for
 */
public record GenerateRequest(
        @Nullable String prompt,
        List<ChatMessage> messages,
        boolean parseSpecial,
        int @Nullable [] tokens,
        int maxTokens,
        SamplingOptions sampling,
        List<String> stop,
        int topLogprobs,
        int promptLogprobs,
        WeightsPolicy weights,
        Object connection,
        Object account,
        Continuation continuation,
        RequestOptions options) {

    /** A request whose stream begins; of a client with one connection. */
    public GenerateRequest(
            @Nullable String prompt,
            List<ChatMessage> messages,
            boolean parseSpecial,
            int @Nullable [] tokens,
            int maxTokens,
            SamplingOptions sampling,
            List<String> stop,
            int topLogprobs,
            int promptLogprobs,
            WeightsPolicy weights,
            Object connection) {
        this(prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, promptLogprobs, weights, connection,
                connection, Continuation.NONE, RequestOptions.NONE);
    }

    /** A prompt that is text and nothing else, or token ids; of a connection of its own. */
    public GenerateRequest(
            @Nullable String prompt,
            int @Nullable [] tokens,
            int maxTokens,
            SamplingOptions sampling,
            List<String> stop,
            int topLogprobs,
            WeightsPolicy weights) {
        this(prompt, List.of(), false, tokens, maxTokens, sampling, stop, topLogprobs, -1, weights, new Object());
    }

    /** A request that does not ask how likely its prompt is. */
    public GenerateRequest(
            @Nullable String prompt,
            boolean parseSpecial,
            int @Nullable [] tokens,
            int maxTokens,
            SamplingOptions sampling,
            List<String> stop,
            int topLogprobs,
            WeightsPolicy weights,
            Object connection) {
        this(prompt, List.of(), parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, -1, weights, connection);
    }

    public GenerateRequest {
        if ((prompt == null ? 0 : 1) + (messages.isEmpty() ? 0 : 1) + (tokens == null ? 0 : 1) != 1) {
            throw new IllegalArgumentException("exactly one of prompt, messages and tokens must be given");
        }
        if (maxTokens < 0) {
            throw new IllegalArgumentException("max_tokens must be at least 0: max_tokens=" + maxTokens);
        }
        if (continuation.generated().length > 0 && continuation.generated().length >= maxTokens) {
            throw new IllegalArgumentException("a stream that goes on must have tokens left: generated=%d, max_tokens=%d"
                    .formatted(continuation.generated().length, maxTokens));
        }
        stop = List.copyOf(stop);
        messages = List.copyOf(messages);
    }

    /** The same, which tells how likely the tokens of the prompt are. */
    public GenerateRequest withPromptLogprobs(int top) {
        return new GenerateRequest(prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, top, weights, connection,
                account, continuation, options);
    }

    /**
     * The same stream of tokens, from a point on.
     *
     * @param seed the one that the stream had
     * @param from where it goes on
     */
    public GenerateRequest continued(long seed, Continuation from) {
        return new GenerateRequest(prompt, messages, parseSpecial, tokens, maxTokens, sampling.withSeed(seed), stop, topLogprobs,
                promptLogprobs, weights, connection, account, from, options);
    }

    /** The same at its begin, with the weights that are wished. */
    public GenerateRequest beginningWith(WeightsWish wish) {
        return new GenerateRequest(prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, promptLogprobs, weights,
                connection, account, Continuation.of(wish), options);
    }

    /** The same, of which something else is asked. */
    public GenerateRequest with(RequestOptions others) {
        return new GenerateRequest(prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, promptLogprobs, weights,
                connection, account, continuation, others);
    }

    /**
     * The same for a client that may have other connections.
     *
     * @param whose all requests of equal ones are one client's
     */
    public GenerateRequest of(Object whose) {
        return new GenerateRequest(prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, promptLogprobs, weights,
                connection, whose, continuation, options);
    }
}
