package dev.tidestream.protocol;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.options.StreamOptions;

/** What a client says. {@code id} is the client's own name of a stream, 1 to 128 characters, unique among its running ones. */
public sealed interface ClientMessage {

    /**
     * Starts a stream. Exactly one of {@code prompt}, {@code messages} and {@code tokens} is present.
     *
     * @param prompt text, possibly empty
     * @param messages a conversation, of which the model's chat template makes the prompt; empty if there is none
     * @param parseSpecial take names of control tokens in the prompt for those tokens; false without a prompt
     * @param tokens at least one token id, used as they are; not copied
     * @param maxTokens most tokens to generate, at least 1
     * @param stop strings that end the stream
     * @param topLogprobs -1: none; 0: of the chosen token; n: also of the n most likely ones
     * @param credit token frames the server may send before it needs more; absent: as many as the socket takes
     * @param options what else is asked for
     */
    record Generate(
            String id,
            @Nullable String prompt,
            List<ChatMessage> messages,
            boolean parseSpecial,
            int @Nullable [] tokens,
            int maxTokens,
            SamplingOptions sampling,
            List<String> stop,
            int topLogprobs,
            WeightsPolicy weights,
            OptionalInt credit,
            StreamOptions options)
            implements ClientMessage {

        // Not the compact form: javac 25 drops the @Nullable of its array parameter from the class file.
        public Generate(
                String id,
                @Nullable String prompt,
                List<ChatMessage> messages,
                boolean parseSpecial,
                int @Nullable [] tokens,
                int maxTokens,
                SamplingOptions sampling,
                List<String> stop,
                int topLogprobs,
                WeightsPolicy weights,
                OptionalInt credit,
                StreamOptions options) {
            if ((prompt == null ? 0 : 1) + (messages.isEmpty() ? 0 : 1) + (tokens == null ? 0 : 1) != 1) {
                throw new IllegalArgumentException("exactly one of prompt, messages and tokens must be given: id=" + id);
            }
            if (parseSpecial && prompt == null) {
                throw new IllegalArgumentException("parse_special goes with prompt only: id=" + id);
            }
            this.id = id;
            this.prompt = prompt;
            this.messages = List.copyOf(messages);
            this.parseSpecial = parseSpecial;
            this.tokens = tokens;
            this.maxTokens = maxTokens;
            this.sampling = sampling;
            this.stop = List.copyOf(stop);
            this.topLogprobs = topLogprobs;
            this.weights = weights;
            this.credit = credit;
            this.options = options;
        }

        /** A prompt that is text, or token ids. */
        public Generate(
                String id,
                @Nullable String prompt,
                boolean parseSpecial,
                int @Nullable [] tokens,
                int maxTokens,
                SamplingOptions sampling,
                List<String> stop,
                int topLogprobs,
                WeightsPolicy weights,
                OptionalInt credit) {
            this(id, prompt, List.of(), parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, weights, credit,
                    StreamOptions.NONE);
        }

        /** A prompt that is text and nothing else, or token ids. */
        public Generate(
                String id,
                @Nullable String prompt,
                int @Nullable [] tokens,
                int maxTokens,
                SamplingOptions sampling,
                List<String> stop,
                int topLogprobs,
                WeightsPolicy weights,
                OptionalInt credit) {
            this(id, prompt, false, tokens, maxTokens, sampling, stop, topLogprobs, weights, credit);
        }

        /** A prompt with every other field at its default. */
        public static Generate of(String id, String prompt) {
            return new Generate(
                    id,
                    prompt,
                    null,
                    Protocol.DEFAULT_MAX_TOKENS,
                    SamplingOptions.DEFAULT,
                    List.of(),
                    -1,
                    WeightsPolicy.PIN,
                    OptionalInt.empty());
        }

        /** The same under another name, as one that outlives its connection. */
        public Generate resumableAs(String name) {
            return new Generate(name, prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, weights, credit,
                    options.withResumable(true));
        }

        /** The same, which asks for something else beside its tokens. */
        public Generate with(StreamOptions others) {
            return new Generate(id, prompt, messages, parseSpecial, tokens, maxTokens, sampling, stop, topLogprobs, weights, credit, others);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Generate g
                    && id.equals(g.id)
                    && Objects.equals(prompt, g.prompt)
                    && messages.equals(g.messages)
                    && parseSpecial == g.parseSpecial
                    && Arrays.equals(tokens, g.tokens)
                    && maxTokens == g.maxTokens
                    && sampling.equals(g.sampling)
                    && stop.equals(g.stop)
                    && topLogprobs == g.topLogprobs
                    && weights == g.weights
                    && credit.equals(g.credit)
                    && options.equals(g.options);
        }

        @Override
        public int hashCode() {
            return Objects.hash(
                    id, prompt, messages, parseSpecial, Arrays.hashCode(tokens), maxTokens, sampling, stop, topLogprobs, weights, credit,
                    options);
        }
    }

    /** Grants {@code n} more token frames, at least 1; grants add up. */
    record Credit(String id, int n) implements ClientMessage {}

    /** Stops a stream before its next step; {@code finished} with reason {@code cancelled} follows. */
    record Cancel(String id) implements ClientMessage {}

    /**
     * Goes on with a resumable stream, which may have been another connection's: {@code accepted} follows, and every token after
     * {@code afterSeq}.
     *
     * @param id the stream's name on this connection from now on
     * @param stream what its {@code accepted} said in {@code resume}, 1 to {@value Protocol#MAX_ID_CHARS} characters
     * @param afterSeq the last {@code seq} that the client has; -1: none
     * @param credit as in {@link Generate}
     */
    record Resume(String id, String stream, int afterSeq, OptionalInt credit) implements ClientMessage {}

    /**
     * Asks for {@code weights_changed}: the current version at once, then every new one; or for no more of them.
     *
     * @param weights whether to watch
     */
    record Watch(boolean weights) implements ClientMessage {}
}
