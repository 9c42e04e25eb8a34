package dev.tidestream.loadtest.plan;

import org.jspecify.annotations.Nullable;

/**
 * What one request asks for. Exactly one of {@code text} and {@code tokens} is present.
 *
 * @param maxTokens most tokens to generate
 */
public record Prompt(@Nullable String text, int @Nullable [] tokens, int maxTokens) {
    public static Prompt of(String text, int maxTokens) {
        return new Prompt(text, null, maxTokens);
    }

    public static Prompt of(int[] tokens, int maxTokens) {
        return new Prompt(null, tokens, maxTokens);
    }
}
