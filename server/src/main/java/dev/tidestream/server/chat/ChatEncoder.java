package dev.tidestream.server.chat;

import dev.tidestream.model.tokenizer.Tokenizer;

/**
 * Conversations as a template rendered them, to tokens: names of control tokens are those tokens where the template wrote them, and text
 * where a client did. Immutable; any thread.
 *
 * @param tokenizer of the model that is to read the prompt
 */
public record ChatEncoder(Tokenizer tokenizer) {

    /**
     * The tokens of a prompt: with the begin-of-sequence token if the model asks for it, once even if the template wrote it, too.
     *
     * @return token ids {@code (n)}
     */
    public int[] encode(RenderedChat chat) {
        return tokenizer.encodePrompt(chat.text(), chat::template);
    }

    /** A lower bound of how many tokens {@link #encode} makes, which takes no memory: for refusing what can never fit. */
    public long leastTokens(RenderedChat chat) {
        return tokenizer.leastTokens(chat.text());
    }
}
