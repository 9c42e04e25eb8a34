package dev.tidestream.protocol;

/**
 * One message of a conversation.
 *
 * @param role who said it, as the model's chat template knows it; not empty
 * @param content what was said
 */
public record ChatMessage(String role, String content) {}
