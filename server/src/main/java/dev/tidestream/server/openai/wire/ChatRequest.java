package dev.tidestream.server.openai.wire;

import dev.tidestream.server.chat.Conversation;

/**
 * A {@code POST /v1/chat/completions}.
 *
 * @param conversation what the template renders
 */
public record ChatRequest(TokenRequest common, Conversation conversation) {}
