package dev.tidestream.loadtest.plan;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * What one request asks for. Exactly one of {@code text} and {@code tokens} is present.
 *
 * @param maxTokens most tokens to generate
 * @param said the same text as messages: user and model in turn, the last is the user's; empty if there are {@code tokens}
 */
public record Prompt(@Nullable String text, int @Nullable [] tokens, int maxTokens, List<String> said) {
    public Prompt {
        said = List.copyOf(said);
    }

    public static Prompt of(String text, int maxTokens) {
        return new Prompt(text, null, maxTokens, List.of(text));
    }

    public static Prompt of(int[] tokens, int maxTokens) {
        return new Prompt(null, tokens, maxTokens, List.of());
    }
}
