package dev.tidestream.server.engine;

import java.time.LocalDateTime;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;

/**
 * What a stream was a function of, and hashes of what it took and gave: for a receipt. Hashes are SHA-256 in 64 lower-case hexadecimal
 * digits, those of tokens as {@link TokenDigest} makes them.
 *
 * @param promptTokens tokens of the prompt
 * @param promptSha256 of these tokens
 * @param textSha256 of the text that the engine made them of, in UTF-8; null if it was given no text
 * @param parseSpecial whether names of control tokens in that text were taken for those tokens
 * @param renderedAt what the template that made the prompt was told of the time, in the zone of the server; null if nothing
 * @param maxTokens most tokens that were asked for
 * @param sampling how tokens were chosen, with the seed
 * @param stop strings that would have ended the stream
 * @param weights what it was to do when new weights were published
 * @param acceptedVersion the version of the weights that it began with
 * @param spans which weights made which tokens, in order and without gaps; empty if it made none
 * @param outputTokens tokens that it made
 * @param outputSha256 of these tokens
 */
public record Evidence(
        int promptTokens,
        String promptSha256,
        @Nullable String textSha256,
        boolean parseSpecial,
        @Nullable LocalDateTime renderedAt,
        int maxTokens,
        SamplingOptions sampling,
        List<String> stop,
        WeightsPolicy weights,
        long acceptedVersion,
        List<Span> spans,
        int outputTokens,
        String outputSha256) {

    /**
     * Tokens in a row that were made with the same weights and the same head.
     *
     * @param from {@code seq} of the first
     * @param to behind that of the last
     * @param weightsVersion whose weights
     * @param headMode how logits were computed
     */
    public record Span(int from, int to, long weightsVersion, String headMode) {}

    public Evidence {
        stop = List.copyOf(stop);
        spans = List.copyOf(spans);
    }
}
