package dev.tidestream.server.openai.wire;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.TopLogprob;

/** Log-probabilities of consecutive tokens of a choice, put together for one chunk or for a whole answer. One thread. */
public interface LogprobList {
    /** JSON has no -Infinity: OpenAI's number for what is very unlikely. */
    float LEAST = -9999f;

    /** An empty list in the form of {@code /v1/responses}: {@code [{"token","logprob","bytes","top_logprobs"}]}. */
    static LogprobList ofResponses(TokenTexts texts) {
        return new ChatLogprobs(texts, true);
    }

    /**
     * Appends a token.
     *
     * @param logprob null: unknown, as of the first token of a prompt
     * @param textOffset code points of the choice's text before it
     */
    void add(int token, @Nullable Float logprob, List<TopLogprob> top, int textOffset);

    /** Whether nothing was appended. */
    boolean isEmpty();

    /** Bytes that it takes. */
    int size();

    /** Appends the value of {@code logprobs}. */
    void writeTo(JsonBytes out);

    /** Forgets everything. */
    void clear();

    /** Appends a log-probability. */
    static void number(JsonBytes out, float logprob) {
        out.number(Math.max(LEAST, logprob));
    }
}
