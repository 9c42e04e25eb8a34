package dev.tidestream.server.openai;

import java.util.List;

import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.wire.LogprobList;
import dev.tidestream.server.openai.wire.TokenTexts;

/** Log-probabilities of a prompt that is echoed, and where its tokens begin in the text. One choice, one thread. */
final class EchoLogprobs {
    private final TokenTexts texts;
    private int offset;

    EchoLogprobs(TokenTexts texts) {
        this.texts = texts;
    }

    /** Appends the first token, before which there is nothing that would make it likely. */
    void first(LogprobList logprobs, int token) {
        logprobs.add(token, null, List.of(), 0);
        advance(token);
    }

    /** Appends the scores of tokens that follow those before. */
    void add(LogprobList logprobs, TokenEvent.Scored scored) {
        for (TokenEvent.Score score : scored.scores()) {
            logprobs.add(score.token(), score.logprob(), score.topLogprobs(), offset);
            advance(score.token());
        }
    }

    private void advance(int token) {
        for (byte b : texts.bytes(token)) {
            if ((b & 0xC0) != 0x80) {
                offset++; // first byte of a code point
            }
        }
    }
}
