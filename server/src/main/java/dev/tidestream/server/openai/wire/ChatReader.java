package dev.tidestream.server.openai.wire;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.chat.Conversation;

/** Bodies with messages. What is wrong with the shape of messages is said here; what a template makes of them, by the template. */
public final class ChatReader {
    private static final String EFFORT = "reasoning_effort";

    private ChatReader() {}

    static ChatRequest chat(RequestReader reader, RequestFields fields) throws BadRequestException {
        Unsupported.refuseOfChat(fields);
        Conversation conversation = conversation(fields);
        boolean logprobs = fields.bool("logprobs", false);
        int top = fields.integer("top_logprobs", 0, Protocol.MAX_TOP_LOGPROBS, 0);
        if (top > 0 && !logprobs) {
            throw RequestFields.invalid("top_logprobs", "0 unless logprobs is true", fields.required("top_logprobs"));
        }
        String limit = fields.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        OptionalInt maxTokens = reader.maxTokens(fields, limit, 1);
        return new ChatRequest(reader.common(fields, logprobs ? top : -1, maxTokens, 1), conversation);
    }

    /** What the template is to render: {@code messages} and what goes with them. */
    public static Conversation conversation(RequestFields fields) throws BadRequestException {
        JsonNode messages = fields.required("messages");
        checkMessages(messages);
        JsonNode documents = fields.get("documents");
        return new Conversation(messages, tools(fields), Optional.ofNullable(documents), ending(fields),
                variables(fields, fields.text(EFFORT)));
    }

    private static void checkMessages(JsonNode messages) throws BadRequestException {
        if (!messages.isArray()) {
            throw RequestFields.wrongType("messages", "an array of objects", messages);
        }
        if (messages.isEmpty()) {
            throw RequestFields.invalid("messages", "not empty", messages);
        }
        for (int i = 0; i < messages.size(); i++) {
            String path = "messages[" + i + "]";
            JsonNode message = messages.get(i);
            if (!message.isObject()) {
                throw RequestFields.wrongType(path, "an object", message);
            }
            checkMessage(new RequestFields(message, path + "."));
        }
    }

    private static void checkMessage(RequestFields message) throws BadRequestException {
        JsonNode role = message.required("role");
        if (!role.isTextual()) {
            throw RequestFields.wrongType(message.path("role"), "a string", role);
        }
        JsonNode content = message.get("content");
        if (content != null && !content.isTextual()) {
            checkParts(message.path("content"), content);
        }
        JsonNode calls = message.get("tool_calls");
        if (calls == null) {
            return;
        }
        if (!calls.isArray()) {
            throw RequestFields.wrongType(message.path("tool_calls"), "an array", calls);
        }
        for (int i = 0; i < calls.size(); i++) {
            if (!calls.get(i).path("function").path("name").isTextual()) {
                throw BadRequestException.of("missing_field", message.path("tool_calls[" + i + "].function.name"),
                        "a tool call needs function.name: " + message.path("tool_calls[" + i + "]"));
            }
        }
    }

    private static void checkParts(String path, JsonNode content) throws BadRequestException {
        if (!content.isArray()) {
            throw RequestFields.wrongType(path, "a string or an array of parts", content);
        }
        for (int i = 0; i < content.size(); i++) {
            RequestFields part = new RequestFields(content.get(i), path + "[" + i + "].");
            JsonNode type = part.required("type");
            if (!type.asText().equals("text")) {
                throw RequestFields.unsupported(part.path("type"), type);
            }
            if (!part.required("text").isTextual()) {
                throw RequestFields.wrongType(part.path("text"), "a string", part.required("text"));
            }
        }
    }

    /** Those that the template is to show; with {@code tool_choice: "none"} it shows none. */
    private static Optional<JsonNode> tools(RequestFields fields) throws BadRequestException {
        JsonNode tools = fields.get("tools");
        if (tools == null) {
            return Optional.empty();
        }
        if (!tools.isArray()) {
            throw RequestFields.wrongType("tools", "an array", tools);
        }
        for (int i = 0; i < tools.size(); i++) {
            RequestFields tool = new RequestFields(tools.get(i), "tools[" + i + "].");
            JsonNode type = tool.get("type");
            if (type != null && !type.asText().equals("function")) {
                throw RequestFields.unsupported(tool.path("type"), type);
            }
            tool.object("function").required("name");
        }
        JsonNode choice = fields.get("tool_choice");
        return tools.isEmpty() || (choice != null && choice.asText().equals("none")) ? Optional.empty() : Optional.of(tools);
    }

    private static Conversation.Ending ending(RequestFields fields) throws BadRequestException {
        boolean goesOn = fields.bool("continue_final_message", false);
        boolean answer = fields.bool("add_generation_prompt", !goesOn);
        if (goesOn && answer) {
            throw BadRequestException.of("invalid_value", "continue_final_message",
                    "continue_final_message and add_generation_prompt: one of them can be true, not both");
        }
        return answer ? Conversation.Ending.ANSWER_BEGINS
                : goesOn ? Conversation.Ending.LAST_MESSAGE_GOES_ON : Conversation.Ending.LAST_MESSAGE_ENDS;
    }

    /**
     * {@code chat_template_kwargs}, and how hard a model that thinks is to think, unless it is among them.
     *
     * @param effort as the request says; null if it does not
     */
    static Map<String, JsonNode> variables(RequestFields fields, @Nullable String effort) throws BadRequestException {
        Map<String, JsonNode> variables = new LinkedHashMap<>();
        if (effort != null) {
            variables.put(EFFORT, com.fasterxml.jackson.databind.node.TextNode.valueOf(effort));
        }
        RequestFields own = fields.object("chat_template_kwargs");
        for (String name : own.names()) {
            variables.put(name, own.required(name));
        }
        return variables;
    }
}
