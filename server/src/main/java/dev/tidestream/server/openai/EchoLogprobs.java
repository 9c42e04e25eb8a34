package dev.tidestream.server.openai;

import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.wire.LogprobList;
import dev.tidestream.server.openai.wire.TokenTexts;

/** Log-probabilities of a prompt that is echoed, and where its tokens begin in the text. One choice, one thread. */
final class EchoLogprobs {
    private final TokenTexts texts;
    private int offset;
    private int incomplete; // bytes of a character that are still to come

    EchoLogprobs(TokenTexts texts) {
        this.texts = texts;
    }

    /** Appends the scores of tokens that follow those before. */
    void add(LogprobList logprobs, TokenEvent.Scored scored) {
        for (TokenEvent.Score score : scored.scores()) {
            logprobs.add(score.token(), score.logprob(), score.topLogprobs(), offset);
            for (byte b : texts.bytes(score.token())) {
                if ((b & 0xC0) != 0x80) {
                    offset++; // first byte of a code point
                }
            }
        }
    }
}
