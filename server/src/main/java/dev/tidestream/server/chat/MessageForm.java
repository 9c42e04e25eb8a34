package dev.tidestream.server.chat;

import java.util.function.Function;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import dev.tidestream.protocol.JsonInput;

/**
 * The form of messages that a template can read, found out by rendering two small conversations. Immutable; any thread.
 *
 * <p>OpenAI's interface gives the arguments of a tool call as JSON text, and lets a content be a list of parts. Some templates walk
 * through arguments as an object, others put them in as text; some walk through parts, most add the content to a text.
 *
 * @param argumentObjects whether arguments are handed over as objects, else as JSON text
 * @param parts whether a list of parts is handed over as it is, else as the texts of its parts with newlines between
 */
public record MessageForm(boolean argumentObjects, boolean parts) {
    private static final String NEEDLE = "needle_of_a_probe";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final JsonInput JSON = new JsonInput(4 << 20, 64, 100_000, 65_536); // the depth is below that of a template's values

    /** @param render what a template makes of messages, or an empty text */
    static MessageForm probe(Function<JsonNode, String> render) {
        String objects = render.apply(withCall(NODES.objectNode().put(NEEDLE, "value")));
        boolean objectsRead = objects.contains(NEEDLE) && !objects.contains("'" + NEEDLE + "'"); // not printed as Python prints a dict
        String texts = render.apply(withCall(NODES.textNode("{\"" + NEEDLE + "\": \"value\"}")));
        boolean textsRead = texts.contains("\"" + NEEDLE + "\"");
        ArrayNode parts = NODES.arrayNode().add(NODES.objectNode().put("type", "text").put("text", NEEDLE));
        String partsRead = render.apply(NODES.arrayNode().add(message("user").set("content", parts)));
        return new MessageForm(objectsRead || !textsRead,
                partsRead.contains(NEEDLE) && !partsRead.contains("'" + NEEDLE + "'") && !partsRead.contains("\"" + NEEDLE + "\""));
    }

    private static ObjectNode message(String role) {
        return NODES.objectNode().put("role", role);
    }

    private static JsonNode withCall(JsonNode arguments) {
        ObjectNode call = NODES.objectNode().put("id", "call00001").put("type", "function"); // nine characters, as Mistral's want
        call.set("function", NODES.objectNode().put("name", "probe").set("arguments", arguments));
        return NODES.arrayNode().add(message("user").put("content", "probe"))
                .add(message("assistant").put("content", "").set("tool_calls", NODES.arrayNode().add(call)));
    }

    /** Messages in this form; those given are not changed. */
    JsonNode prepare(JsonNode messages) {
        if (!messages.isArray()) {
            throw bad("messages must be an array");
        }
        ArrayNode prepared = NODES.arrayNode(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            if (!(messages.get(i) instanceof ObjectNode message)) {
                throw bad("messages[" + i + "] must be an object");
            }
            prepared.add(message(message.deepCopy(), i));
        }
        return prepared;
    }

    private ObjectNode message(ObjectNode message, int index) {
        JsonNode content = message.get("content");
        if (content != null && content.isNull()) {
            message.put("content", "");
        } else if (content instanceof ArrayNode list) {
            String joined = joined(list, index);
            if (!parts) {
                message.put("content", joined);
            }
        }
        if (message.has("reasoning") && !message.has("reasoning_content")) {
            message.set("reasoning_content", message.get("reasoning"));
        }
        for (JsonNode call : message.path("tool_calls")) {
            if (call.path("function") instanceof ObjectNode function) {
                arguments(function);
            }
        }
        return message;
    }

    private static String joined(ArrayNode list, int index) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < list.size(); i++) {
            JsonNode part = list.get(i);
            if (!part.path("type").asText("text").equals("text") || !part.path("text").isTextual()) {
                throw bad("messages[" + index + "].content[" + i + "] is not a part with text: only parts of type 'text' are supported");
            }
            text.append(i > 0 ? "\n" : "").append(part.path("text").textValue());
        }
        return text.toString();
    }

    private void arguments(ObjectNode function) {
        JsonNode arguments = function.path("arguments");
        if (argumentObjects && arguments.isTextual()) {
            object(function, arguments.textValue());
        } else if (!argumentObjects && arguments.isObject()) {
            function.put("arguments", arguments.toString());
        }
    }

    /** Text that is no JSON object stays text. */
    private static void object(ObjectNode function, String text) {
        try {
            JsonNode tree = text.isBlank() ? NODES.objectNode() : JSON.tree(text);
            if (tree.isObject()) {
                function.set("arguments", tree);
            }
        } catch (JsonProcessingException e) {
            function.put("arguments", text); // what a model once wrote need not be JSON
        }
    }

    private static ChatTemplateException bad(String message) {
        return new ChatTemplateException(ChatTemplateException.Reason.BAD_CONVERSATION, message);
    }
}
