package dev.tidestream.server.openai.wire;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.options.Priority;

/** Bodies of {@code POST /v1/responses}. */
final class ResponseReader {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String LOGPROBS = "message.output_text.logprobs";
    private static final int MAX_METADATA = 16;

    private ResponseReader() {}

    static ResponseRequest response(RequestReader reader, RequestFields fields) throws BadRequestException {
        return read(reader, fields, InputItems.of(fields.required("input")), true, OptionalInt.empty(), RequestReader.OWN_FIELDS);
    }

    /** A {@code response.create} of a WebSocket: also with {@code generate} and {@code tidestream.credit}. */
    static ResponseRequest frame(RequestReader reader, RequestFields fields) throws BadRequestException {
        boolean generate = fields.bool("generate", true);
        InputItems input = generate || fields.has("input") ? InputItems.of(fields.required("input")) : InputItems.none();
        RequestFields own = fields.object("tidestream");
        OptionalInt credit = own.has("credit") ? OptionalInt.of(own.integer("credit", 0, Integer.MAX_VALUE, 0)) : OptionalInt.empty();
        return read(reader, fields, input, generate, credit, RequestReader.OWN_FIELDS_OF_FRAMES);
    }

    private static ResponseRequest read(RequestReader reader, RequestFields fields, InputItems input, boolean generate, OptionalInt credit,
            Set<String> own) throws BadRequestException {
        Unsupported.refuseOfResponses(fields);
        int top = fields.integer("top_logprobs", 0, Protocol.MAX_TOP_LOGPROBS, 0);
        boolean logprobs = includes(fields);
        TokenRequest common = reader.common(fields, logprobs ? top : -1, reader.maxTokens(fields, "max_output_tokens", 1), 1, own);
        ArrayNode tools = tools(fields);
        boolean none = fields.has("tool_choice") && fields.required("tool_choice").asText().equals("none");
        Optional<JsonNode> shown = tools.isEmpty() || none ? Optional.empty() : Optional.of(nested(tools));
        boolean store = fields.bool("store", true);
        String effort = fields.object("reasoning").text("effort");
        return new ResponseRequest(common, input.items(), input.messages(), shown, ChatReader.variables(fields, effort),
                fields.text("instructions"), fields.text("previous_response_id"), generate, credit, store,
                echo(fields, common, tools, store, top));
    }

    private static boolean includes(RequestFields fields) throws BadRequestException {
        JsonNode include = fields.get("include");
        if (include != null && !include.isArray()) {
            throw RequestFields.wrongType("include", "an array of strings", include);
        }
        boolean found = false;
        for (JsonNode one : include == null ? NODES.arrayNode() : include) {
            found |= one.asText().equals(LOGPROBS);
        }
        return found;
    }

    /** As they are shown again: {@code {"type","name","description","parameters","strict"}}. */
    private static ArrayNode tools(RequestFields fields) throws BadRequestException {
        ArrayNode tools = NODES.arrayNode();
        JsonNode given = fields.get("tools");
        if (given != null && !given.isArray()) {
            throw RequestFields.wrongType("tools", "an array", given);
        }
        for (int i = 0; given != null && i < given.size(); i++) {
            RequestFields tool = new RequestFields(given.get(i), "tools[" + i + "].");
            JsonNode type = tool.required("type");
            if (!type.asText().equals("function")) {
                throw RequestFields.unsupported(tool.path("type"), type);
            }
            tool.required("name");
            ObjectNode shown = tools.addObject().put("type", "function").put("name", tool.text("name"))
                    .put("description", tool.text("description"));
            JsonNode parameters = tool.get("parameters");
            shown.set("parameters", parameters == null ? NODES.objectNode() : parameters);
            shown.put("strict", tool.bool("strict", false));
        }
        return tools;
    }

    /** As chat completions and templates have them. */
    private static ArrayNode nested(ArrayNode tools) {
        ArrayNode nested = NODES.arrayNode();
        for (JsonNode tool : tools) {
            ObjectNode function = nested.addObject().put("type", "function").putObject("function").put("name", tool.path("name").asText());
            if (tool.path("description").isTextual()) {
                function.put("description", tool.path("description").textValue());
            }
            function.set("parameters", tool.path("parameters"));
        }
        return nested;
    }

    private static ObjectNode echo(RequestFields fields, TokenRequest common, ArrayNode tools, boolean store, int top)
            throws BadRequestException {
        ObjectNode echo = NODES.objectNode();
        echo.put("background", false);
        echo.put("instructions", fields.text("instructions"));
        echo.set("max_output_tokens", orNull(fields.get("max_output_tokens")));
        echo.set("max_tool_calls", orNull(fields.get("max_tool_calls")));
        echo.set("metadata", metadata(fields));
        echo.put("parallel_tool_calls", fields.bool("parallel_tool_calls", true));
        echo.put("previous_response_id", fields.text("previous_response_id"));
        echo.put("prompt_cache_key", fields.text("prompt_cache_key"));
        RequestFields reasoning = fields.object("reasoning");
        echo.putObject("reasoning").put("effort", reasoning.text("effort")).put("summary", reasoning.text("summary"));
        echo.put("safety_identifier", fields.text("safety_identifier"));
        echo.put("service_tier", common.urgency().priority() == Priority.BATCH ? RequestReader.FLEX : "default");
        echo.put("store", store);
        echo.put("temperature", shortest(common.sampling().temperature()));
        echo.putObject("text").putObject("format").put("type", "text");
        String choice = fields.text("tool_choice");
        echo.put("tool_choice", choice == null ? "auto" : choice);
        echo.set("tools", tools);
        echo.put("top_logprobs", top);
        echo.put("top_p", shortest(common.sampling().topP()));
        echo.put("truncation", "disabled");
        echo.put("user", fields.text("user"));
        return echo;
    }

    /** The number that a client wrote, and not that which a float makes of it. */
    private static double shortest(float value) {
        return Double.parseDouble(Float.toString(value));
    }

    private static JsonNode orNull(@Nullable JsonNode node) {
        return node == null ? NODES.nullNode() : node;
    }

    private static JsonNode metadata(RequestFields fields) throws BadRequestException {
        RequestFields metadata = fields.object("metadata");
        ObjectNode checked = NODES.objectNode();
        if (metadata.names().size() > MAX_METADATA) {
            throw RequestFields.invalid("metadata", "of at most " + MAX_METADATA + " entries", fields.required("metadata"));
        }
        for (String name : metadata.names()) {
            checked.put(name, metadata.text(name));
        }
        return checked;
    }
}
