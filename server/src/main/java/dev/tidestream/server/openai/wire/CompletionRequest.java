package dev.tidestream.server.openai.wire;

import java.util.List;

/**
 * A {@code POST /v1/completions}.
 *
 * @param prompts at least one
 * @param echo whether the answer begins with the prompt
 */
public record CompletionRequest(TokenRequest common, List<Prompt> prompts, boolean echo) {}
