package dev.tidestream.server.chat;

import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What a template renders. JSON is kept as the client sent it, with the order of its keys: templates print tools and arguments so.
 *
 * @param messages an array of objects: {@code role}, {@code content} (text, parts or null), {@code tool_calls}, {@code reasoning_content} …
 * @param tools an array of what OpenAI calls tools, if there are any
 * @param documents an array of objects, for templates that read some
 * @param ending how the prompt ends
 * @param variables {@code chat_template_kwargs}: what else the template reads, such as {@code enable_thinking}
 */
public record Conversation(
        JsonNode messages, Optional<JsonNode> tools, Optional<JsonNode> documents, Ending ending, Map<String, JsonNode> variables) {

    /** How the prompt ends. */
    public enum Ending {
        /** With the begin of an answer: {@code add_generation_prompt}. */
        ANSWER_BEGINS,
        /** Within the last message, which the model goes on with: {@code continue_final_message}. */
        LAST_MESSAGE_GOES_ON,
        /** After the last message. */
        LAST_MESSAGE_ENDS
    }

    public Conversation {
        variables = Map.copyOf(variables);
    }

    /** Messages alone, to be answered. */
    public static Conversation of(JsonNode messages) {
        return new Conversation(messages, Optional.empty(), Optional.empty(), Ending.ANSWER_BEGINS, Map.of());
    }
}
