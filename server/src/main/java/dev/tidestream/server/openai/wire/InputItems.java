package dev.tidestream.server.openai.wire;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.ChatTemplate;

/** The {@code input} of {@code /v1/responses}: as it is shown again, and as messages that templates know. */
final class InputItems {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final List<JsonNode> items = new ArrayList<>();
    private final List<JsonNode> messages = new ArrayList<>();

    private InputItems() {}

    /** Of a request without input. */
    static InputItems none() {
        return new InputItems();
    }

    static InputItems of(JsonNode input) throws BadRequestException {
        InputItems read = new InputItems();
        if (input.isTextual()) {
            read.message("user", input, input);
        } else if (input.isArray() && !input.isEmpty()) {
            for (int i = 0; i < input.size(); i++) {
                String path = "input[" + i + "]";
                if (!input.get(i).isObject()) {
                    throw RequestFields.wrongType(path, "an object", input.get(i));
                }
                read.item(new RequestFields(input.get(i), path + "."));
            }
        } else {
            throw input.isArray() ? RequestFields.invalid("input", "not empty", input)
                    : RequestFields.wrongType("input", "a string or an array of items", input);
        }
        if (read.messages.isEmpty()) {
            throw RequestFields.invalid("input", "something that the model reads", input);
        }
        return read;
    }

    List<JsonNode> items() {
        return items;
    }

    List<JsonNode> messages() {
        return messages;
    }

    private void item(RequestFields item) throws BadRequestException {
        JsonNode type = item.get("type");
        switch (type == null ? "message" : type.asText()) {
            case "message" -> {
                JsonNode content = item.required("content");
                String path = item.path("content");
                message(role(item), content, content.isTextual() ? content : parts(content, path));
            }
            case "function_call" -> call(text(item, "call_id"), text(item, "name"), text(item, "arguments"));
            case "function_call_output" -> {
                JsonNode output = item.required("output");
                result(text(item, "call_id"), output.isTextual() ? output : parts(output, item.path("output")));
            }
            case "reasoning" -> { } // a model is not told what was thought
            default -> throw RequestFields.unsupported(item.path("type"), item.required("type"));
        }
    }

    private static String text(RequestFields item, String name) throws BadRequestException {
        item.required(name);
        return String.valueOf(item.text(name));
    }

    /** Parts as messages have them. */
    private static JsonNode parts(JsonNode content, String path) throws BadRequestException {
        if (!content.isArray()) {
            throw RequestFields.wrongType(path, "a string or an array of parts", content);
        }
        ArrayNode parts = NODES.arrayNode();
        for (int i = 0; i < content.size(); i++) {
            RequestFields part = new RequestFields(content.get(i), path + "[" + i + "].");
            String type = text(part, "type");
            switch (type) {
                case "input_text", "output_text", "text" -> parts.addObject().put("type", "text").put("text", text(part, "text"));
                case "refusal" -> parts.addObject().put("type", "text").put("text", text(part, "refusal"));
                default -> throw RequestFields.unsupported(part.path("type"), part.required("type"));
            }
        }
        return parts;
    }

    /** Of a message; a template passes over roles that it does not know, so those that nobody knows are refused. */
    private static String role(RequestFields item) throws BadRequestException {
        String role = text(item, "role");
        if (!ChatTemplate.KNOWN_ROLES.contains(role)) {
            throw RequestFields.invalid(item.path("role"),
                    "a role (" + String.join(", ", ChatTemplate.KNOWN_ROLES) + ")", item.required("role"));
        }
        return role;
    }

    private void message(String role, JsonNode shown, JsonNode content) {
        messages.add(NODES.objectNode().put("role", role).set("content", content));
        ObjectNode item = NODES.objectNode().put("id", Ids.next("msg_")).put("type", "message")
                .put("status", "completed").put("role", role);
        if (shown.isTextual()) {
            ArrayNode parts = item.putArray("content");
            String type = role.equals("assistant") ? "output_text" : "input_text";
            ObjectNode part = parts.addObject().put("type", type).put("text", shown.textValue());
            if (role.equals("assistant")) {
                part.putArray("annotations");
                part.putArray("logprobs");
            }
        } else {
            item.set("content", shown);
        }
        items.add(item);
    }

    /** Calls in a row, and the text before them, are one message. */
    private void call(String id, String name, String arguments) {
        ObjectNode assistant = lastAssistant();
        if (assistant == null) {
            assistant = NODES.objectNode().put("role", "assistant").putNull("content");
            messages.add(assistant);
        }
        ArrayNode calls = assistant.get("tool_calls") instanceof ArrayNode known ? known : assistant.putArray("tool_calls");
        ObjectNode call = calls.addObject().put("id", id).put("type", "function");
        call.putObject("function").put("name", name).put("arguments", arguments);
        items.add(NODES.objectNode().put("id", Ids.next("fc_")).put("type", "function_call").put("status", "completed")
                .put("call_id", id).put("name", name).put("arguments", arguments));
    }

    private @Nullable ObjectNode lastAssistant() {
        return !messages.isEmpty() && messages.getLast() instanceof ObjectNode last && last.path("role").asText().equals("assistant")
                ? last : null;
    }

    private void result(String id, JsonNode output) {
        messages.add(NODES.objectNode().put("role", "tool").put("tool_call_id", id).set("content", output));
        ObjectNode item = NODES.objectNode().put("id", Ids.next("fco_")).put("type", "function_call_output").put("status", "completed")
                .put("call_id", id);
        item.set("output", output);
        items.add(item);
    }
}
