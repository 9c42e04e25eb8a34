package dev.tidestream.server.openai.wire;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.transport.http.JsonAnswer;

/**
 * Lenient access to the fields of one JSON object: null is absent, fields that nobody asks for are passed over, and {@code 1.0} is an
 * integer. What is there and of the wrong type or out of its range is refused, with path and value.
 */
public final class RequestFields {
    private static final int SHOWN_CHARS = 60;
    private static final Pattern TOKEN_ID = Pattern.compile("0|[1-9][0-9]{0,9}");

    private final JsonNode object;
    private final String prefix;

    /** @param prefix path of the object, {@code ""} or ending in a dot */
    RequestFields(JsonNode object, String prefix) {
        this.object = object;
        this.prefix = prefix;
    }

    /** The path of a field. */
    public String path(String name) {
        return prefix + name;
    }

    /** The value of a field, null if it is absent or null. */
    public @Nullable JsonNode get(String name) {
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    /** Whether it is there and not null. */
    public boolean has(String name) {
        return get(name) != null;
    }

    /** Names of all fields that are not null. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        object.properties().forEach(field -> {
            if (!field.getValue().isNull()) {
                names.add(field.getKey());
            }
        });
        return names;
    }

    /** A value that must be there. */
    public JsonNode required(String name) throws BadRequestException {
        JsonNode node = get(name);
        if (node == null) {
            throw BadRequestException.of("missing_field", path(name), "missing field: " + path(name));
        }
        return node;
    }

    /** The fields of an object; none if it is absent. */
    public RequestFields object(String name) throws BadRequestException {
        JsonNode node = get(name);
        if (node != null && !node.isObject()) {
            throw wrongType(path(name), "an object", node);
        }
        return new RequestFields(node == null ? MissingNode.getInstance() : node, path(name) + ".");
    }

    /** A boolean. */
    public boolean bool(String name, boolean absent) throws BadRequestException {
        JsonNode node = get(name);
        if (node == null) {
            return absent;
        }
        if (!node.isBoolean()) {
            throw wrongType(path(name), "a boolean", node);
        }
        return node.booleanValue();
    }

    /** An integer within bounds. */
    public int integer(String name, int min, int max, int absent) throws BadRequestException {
        JsonNode node = get(name);
        return node == null ? absent : (int) integer(path(name), node, min, max);
    }

    /** An integer of 64 bits, also as a decimal string, as this server says seeds beyond 2^53. */
    public OptionalLong seed(String name) throws BadRequestException {
        JsonNode node = get(name);
        if (node == null) {
            return OptionalLong.empty();
        }
        if (node.isTextual()) {
            try {
                return OptionalLong.of(Long.parseLong(node.textValue()));
            } catch (NumberFormatException e) {
                throw invalid(path(name), "a signed 64-bit integer", node);
            }
        }
        return OptionalLong.of(integer(path(name), node, Long.MIN_VALUE, Long.MAX_VALUE));
    }

    /** A number within [min, max], or (min, max] if {@code openAtMin}, after rounding to float. */
    public float number(String name, float min, boolean openAtMin, float max, float absent) throws BadRequestException {
        JsonNode node = get(name);
        return node == null ? absent : number(path(name), node, min, openAtMin, max);
    }

    /** A string. */
    public @Nullable String text(String name) throws BadRequestException {
        JsonNode node = get(name);
        if (node == null) {
            return null;
        }
        if (!node.isTextual()) {
            throw wrongType(path(name), "a string", node);
        }
        return node.textValue();
    }

    /** One string, or an array of them, each of 1 to {@code maxChars} UTF-16 code units. */
    public List<String> texts(String name, int maxCount, int maxChars) throws BadRequestException {
        JsonNode node = get(name);
        if (node == null) {
            return List.of();
        }
        if (!node.isTextual() && !node.isArray()) {
            throw wrongType(path(name), "a string or an array of strings", node);
        }
        List<String> texts = new ArrayList<>();
        if (node.isTextual()) {
            texts.add(checked(path(name), node, maxChars));
        } else {
            if (node.size() > maxCount) {
                throw BadRequestException.of("invalid_value", path(name),
                        "%s must have at most %d entries: entries=%d".formatted(path(name), maxCount, node.size()));
            }
            for (int i = 0; i < node.size(); i++) {
                texts.add(checked(path(name) + "[" + i + "]", node.get(i), maxChars));
            }
        }
        return texts;
    }

    private static String checked(String path, JsonNode node, int maxChars) throws BadRequestException {
        if (!node.isTextual()) {
            throw wrongType(path, "a string", node);
        }
        String text = node.textValue();
        if (text.isEmpty() || text.length() > maxChars) {
            throw BadRequestException.of("invalid_value", path,
                    "%s must have 1 to %d characters: chars=%d".formatted(path, maxChars, text.length()));
        }
        return text;
    }

    /** Numbers by token id. An id is written in one way only, so none is there twice. */
    public Map<Integer, Float> byToken(String name, float min, float max, int maxCount) throws BadRequestException {
        Map<Integer, Float> values = new HashMap<>();
        RequestFields entries = object(name);
        if (entries.object.size() > maxCount) {
            throw BadRequestException.of("invalid_value", path(name),
                    "%s must have at most %d entries: entries=%d".formatted(path(name), maxCount, entries.object.size()));
        }
        for (String key : entries.names()) {
            String path = entries.path(JsonAnswer.shown(key));
            if (!TOKEN_ID.matcher(key).matches() || Long.parseLong(key) > Integer.MAX_VALUE) {
                throw BadRequestException.of("invalid_value", path(name),
                        path(name) + " has a key that is no token id in decimal digits: " + cut(key));
            }
            values.put(Integer.parseInt(key), number(path, entries.required(key), min, false, max));
        }
        return values;
    }

    static long integer(String path, JsonNode node, long min, long max) throws BadRequestException {
        if (!node.isNumber() || (!node.isIntegralNumber() && node.doubleValue() != Math.rint(node.doubleValue()))) {
            throw wrongType(path, "an integer", node);
        }
        if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
            throw invalid(path, "in %d..%d".formatted(min, max), node);
        }
        return node.longValue();
    }

    private static float number(String path, JsonNode node, float min, boolean openAtMin, float max) throws BadRequestException {
        if (!node.isNumber()) {
            throw wrongType(path, "a number", node);
        }
        float value = (float) node.doubleValue();
        if (!(openAtMin ? value > min : value >= min) || !(value <= max)) {
            throw invalid(path, "in %s%s, %s]".formatted(openAtMin ? "(" : "[", plain(min), plain(max)), node);
        }
        return value;
    }

    /** The complaint about a value of the wrong JSON type. */
    public static BadRequestException wrongType(String path, String expected, JsonNode node) {
        return BadRequestException.of("invalid_type", path, "%s must be %s: %s".formatted(path, expected, shown(node)));
    }

    /** The complaint about a value out of its range. */
    public static BadRequestException invalid(String path, String expected, JsonNode node) {
        return BadRequestException.of("invalid_value", path, "%s must be %s: %s".formatted(path, expected, shown(node)));
    }

    /** The complaint about something that this server cannot do. */
    public static BadRequestException unsupported(String path, JsonNode node) {
        return BadRequestException.of("unsupported_parameter", path,
                "%s is not supported by this server: %s".formatted(path, shown(node)));
    }

    private static String shown(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array of " + node.size();
            case STRING -> '"' + cut(node.textValue()) + '"';
            case BINARY, BOOLEAN, MISSING, NULL, NUMBER, POJO -> cut(node.asText());
        };
    }

    private static String cut(String text) {
        return JsonAnswer.shown(text.length() > SHOWN_CHARS ? text.substring(0, SHOWN_CHARS) + "…" : text);
    }

    private static String plain(float value) {
        return new BigDecimal(Float.toString(value)).stripTrailingZeros().toPlainString();
    }
}
