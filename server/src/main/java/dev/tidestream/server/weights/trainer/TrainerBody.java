package dev.tidestream.server.weights.trainer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;

import dev.tidestream.protocol.JsonInput;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * An object of a request's body. Fields that nobody knows are refused by name; {@code null} is as good as absent, as these servers have it.
 *
 * @param path of the object within the body, empty or ending in a dot; for messages
 */
record TrainerBody(JsonNode object, String path) {
    private static final int MAX_DEPTH = 8;
    private static final int MAX_FIELDS = 256;
    private static final int MAX_NAME_CHARS = 256;

    /** @param known names of its fields */
    static TrainerBody read(byte[] utf8, Set<String> known) throws AdminException {
        JsonInput json = new JsonInput(Math.max(2, utf8.length), MAX_DEPTH, MAX_FIELDS, MAX_NAME_CHARS);
        try {
            return checked(json.tree(utf8.length == 0 ? "{}" : new String(utf8, StandardCharsets.UTF_8)), "", known);
        } catch (JsonProcessingException e) {
            throw new AdminException(AdminErrorCode.MALFORMED_JSON, "the body is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static TrainerBody checked(JsonNode node, String path, Set<String> known) throws AdminException {
        if (!node.isObject()) {
            throw new AdminException(AdminErrorCode.INVALID_TYPE,
                    "%s must be a JSON object".formatted(path.isEmpty() ? "the body" : path.substring(0, path.length() - 1)));
        }
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            if (!known.contains(field.getKey())) {
                throw new AdminException(AdminErrorCode.UNKNOWN_FIELD, "unknown field: %s%s; known=%s"
                        .formatted(path, JsonAnswer.shown(field.getKey()), known.stream().sorted().toList()));
            }
        }
        return new TrainerBody(node, path);
    }

    boolean has(String name) {
        return !object.path(name).isMissingNode() && !object.path(name).isNull();
    }

    /** An object within this one; without fields if it is absent. */
    TrainerBody inner(String name, Set<String> known) throws AdminException {
        JsonNode node = has(name) ? object.path(name) : JsonNodeFactory.instance.objectNode();
        return checked(node, path + name + ".", known);
    }

    boolean isTrue(String name) throws AdminException {
        JsonNode node = object.path(name);
        if (has(name) && !node.isBoolean()) {
            throw wrong(name, "true or false");
        }
        return node.booleanValue();
    }

    Optional<String> text(String name, int maxChars) throws AdminException {
        if (!has(name)) {
            return Optional.empty();
        }
        JsonNode node = object.path(name);
        if (!node.isTextual() || node.textValue().length() > maxChars || !node.textValue().matches("\\P{Cntrl}*")) {
            throw wrong(name, "a text of up to %d characters without control characters".formatted(maxChars));
        }
        return Optional.of(node.textValue());
    }

    /** Nothing if it is absent. */
    List<String> texts(String name) throws AdminException {
        List<String> texts = new ArrayList<>();
        for (JsonNode node : array(name)) {
            if (!node.isTextual()) {
                throw wrong(name, "a list of texts");
            }
            texts.add(node.textValue());
        }
        return texts;
    }

    /** Nothing if it is absent. */
    List<List<Long>> shapes(String name) throws AdminException {
        List<List<Long>> shapes = new ArrayList<>();
        for (JsonNode node : array(name)) {
            List<Long> shape = new ArrayList<>();
            for (JsonNode dimension : node) {
                if (!dimension.isIntegralNumber() || !dimension.canConvertToInt() || dimension.intValue() < 0) {
                    throw wrong(name, "a list of lists of numbers from 0 on");
                }
                shape.add(dimension.longValue());
            }
            if (!node.isArray()) {
                throw wrong(name, "a list of lists of numbers from 0 on");
            }
            shapes.add(shape);
        }
        return shapes;
    }

    /** Nothing if it is absent. */
    byte[] base64(String name) throws AdminException {
        if (has(name) && !object.path(name).isTextual()) {
            throw wrong(name, "base64");
        }
        try {
            return has(name) ? object.path(name).binaryValue() : new byte[0];
        } catch (IOException e) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, path + name + " must be base64", e);
        }
    }

    private JsonNode array(String name) throws AdminException {
        JsonNode node = object.path(name);
        if (has(name) && !node.isArray()) {
            throw wrong(name, "a list");
        }
        return has(name) ? node : JsonNodeFactory.instance.arrayNode();
    }

    private AdminException wrong(String name, String what) {
        return new AdminException(AdminErrorCode.INVALID_VALUE, "%s%s must be %s".formatted(path, name, what));
    }
}
