package dev.tidestream.server.engine;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.SamplingOptions;

/**
 * Takes down what a receipt of one stream will say, while the stream runs: some hundred nanoseconds a token. The tokenizer's thread makes
 * it, the decode thread writes in it.
 */
final class EvidenceBook {
    private final GenerateRequest request;
    private final SamplingOptions sampling;
    private final int promptTokens;
    private final String promptSha256;
    private final @Nullable String textSha256;
    private final @Nullable LocalDateTime renderedAt;
    private final TokenDigest output = new TokenDigest();
    private final List<Evidence.Span> spans = new ArrayList<>(); // the last one grows
    private int tokens;
    private long acceptedVersion;
    private boolean whole; // whether it is known what made the tokens before a continuation

    /**
     * Of a stream that was asked for.
     *
     * @param seed the one in use
     */
    EvidenceBook(GenerateRequest request, long seed, ChatPrompts.Prompt prompt) {
        this.request = request;
        this.sampling = request.sampling().withSeed(seed);
        this.promptTokens = prompt.tokens().length;
        this.promptSha256 = TokenDigest.of(prompt.tokens());
        String text = request.prompt();
        this.textSha256 = text == null ? null : TokenDigest.of(text); // a long one would keep the decode thread
        this.renderedAt = prompt.at();
    }

    /** Of the tokens of the prompt. */
    String promptSha256() {
        return promptSha256;
    }

    /**
     * It begins, or goes on behind tokens that were made before: those of a pinned stream are of the same weights, and what else made them
     * must be the same as now.
     */
    void accepted(long weightsVersion, HeadMode headMode) {
        int[] before = request.continuation().generated();
        acceptedVersion = weightsVersion;
        Continuation.Origin now = new Continuation.Origin(headMode.wireName(), promptSha256);
        whole = before.length == 0 || (!request.weights().follows() && now.equals(request.continuation().origin()));
        output.add(before);
        tokens = before.length;
        if (tokens > 0) {
            spans.add(new Evidence.Span(0, tokens, weightsVersion, headMode.wireName()));
        }
    }

    /** One more token. */
    void token(int token, long weightsVersion, HeadMode headMode) {
        output.add(token);
        Evidence.Span last = spans.isEmpty() ? null : spans.getLast();
        String head = headMode.wireName();
        boolean same = last != null && last.weightsVersion() == weightsVersion && last.headMode().equals(head);
        int from = tokens++;
        if (same) {
            from = spans.removeLast().from();
        }
        spans.add(new Evidence.Span(from, tokens, weightsVersion, head));
    }

    /** What there is to say at the end, once; null if not all is known. */
    @Nullable Evidence close() {
        if (!whole) {
            return null;
        }
        return new Evidence(promptTokens, promptSha256, textSha256, request.parseSpecial(), renderedAt, request.maxTokens(),
                sampling, request.stop(), request.weights(), acceptedVersion, spans, tokens, output.hex());
    }
}
