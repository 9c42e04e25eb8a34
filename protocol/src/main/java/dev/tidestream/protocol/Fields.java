package dev.tidestream.protocol;

import java.math.BigDecimal;
import java.util.LinkedHashSet;
import java.util.OptionalLong;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** Typed, range-checked access to the fields of one JSON object, for decoders; every complaint names the path and the value. */
public final class Fields {
    private static final int SHOWN_CHARS = 60;

    private final JsonNode object;
    private final String prefix;
    private final @Nullable String id;

    /** @param prefix path of the object, {@code ""} or ending in a dot */
    Fields(JsonNode object, String prefix, @Nullable String id) {
        this.object = object;
        this.prefix = prefix;
        this.id = id;
    }

    public void allowOnly(Set<String> names) throws ProtocolException {
        for (var property : object.properties()) {
            if (!names.contains(property.getKey())) {
                String path = path(property.getKey());
                throw error(ErrorCode.UNKNOWN_FIELD, path, "unknown field: " + path);
            }
        }
    }

    /** Names of all fields, in the order of the frame. */
    public Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    public boolean has(String name) {
        return object.has(name);
    }

    public @Nullable JsonNode optional(String name) {
        return object.get(name);
    }

    public JsonNode required(String name) throws ProtocolException {
        JsonNode node = object.get(name);
        if (node == null) {
            throw error(ErrorCode.MISSING_FIELD, path(name), "missing field: " + path(name));
        }
        return node;
    }

    public Fields object(String name) throws ProtocolException {
        JsonNode node = required(name);
        if (!node.isObject()) {
            throw wrongType(path(name), "an object", node);
        }
        return new Fields(node, path(name) + ".", id);
    }

    /** The fields of an object within. */
    Fields nested(JsonNode node, String path) {
        return new Fields(node, path + ".", id);
    }

    /** Text of {@code minChars} to {@code maxChars} UTF-16 code units without unpaired surrogates. */
    public String text(String name, int minChars, int maxChars) throws ProtocolException {
        return text(path(name), required(name), minChars, maxChars);
    }

    String text(String path, JsonNode node, int minChars, int maxChars) throws ProtocolException {
        if (!node.isTextual()) {
            throw wrongType(path, "a string", node);
        }
        String text = node.textValue();
        if (text.length() < minChars || text.length() > maxChars) {
            throw error(
                    ErrorCode.INVALID_VALUE,
                    path,
                    path + " must have " + minChars + " to " + maxChars + " characters: chars=" + text.length());
        }
        if (!isWellFormed(text)) {
            throw error(ErrorCode.INVALID_VALUE, path, path + " has an unpaired surrogate: " + show(node));
        }
        return text;
    }

    public int integer(String name, int min, int max) throws ProtocolException {
        return (int) integer(path(name), required(name), min, max);
    }

    int integer(String name, int min, int max, int absent) throws ProtocolException {
        return has(name) ? integer(name, min, max) : absent;
    }

    public long longInteger(String name, long min, long max) throws ProtocolException {
        return integer(path(name), required(name), min, max);
    }

    public long integer(String path, JsonNode node, long min, long max) throws ProtocolException {
        if (!node.isIntegralNumber()) {
            throw wrongType(path, "an integer", node);
        }
        if (!node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
            throw outOfRange(path, "in " + min + ".." + max, node);
        }
        return node.longValue();
    }

    /** A boolean, not null. */
    public boolean bool(String name) throws ProtocolException {
        JsonNode node = required(name);
        if (!node.isBoolean()) {
            throw wrongType(path(name), "a boolean", node);
        }
        return node.booleanValue();
    }

    /** A signed 64-bit integer as a JSON number or as a decimal string. */
    OptionalLong seed(String name) throws ProtocolException {
        JsonNode node = optional(name);
        if (node == null) {
            return OptionalLong.empty();
        }
        if (node.isTextual()) {
            try {
                return OptionalLong.of(Long.parseLong(node.textValue()));
            } catch (NumberFormatException e) {
                throw outOfRange(path(name), "a signed 64-bit integer", node);
            }
        }
        return OptionalLong.of(integer(path(name), node, Long.MIN_VALUE, Long.MAX_VALUE));
    }

    /** A number within [min, max], or (min, max] if {@code openAtMin}, after rounding to float. */
    float number(String name, float min, boolean openAtMin, float max, float absent) throws ProtocolException {
        JsonNode node = optional(name);
        return node == null ? absent : number(path(name), node, min, openAtMin, max);
    }

    float number(String path, JsonNode node, float min, boolean openAtMin, float max) throws ProtocolException {
        if (!node.isNumber()) {
            throw wrongType(path, "a number", node);
        }
        float value = (float) node.doubleValue();
        boolean aboveMin = openAtMin ? value > min : value >= min;
        if (!aboveMin || !(value <= max)) {
            throw outOfRange(path, "in " + (openAtMin ? "(" : "[") + plain(min) + ", " + plain(max) + "]", node);
        }
        return value;
    }

    double anyNumber(String name) throws ProtocolException {
        JsonNode node = required(name);
        if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
            throw wrongType(path(name), "a finite number", node);
        }
        return node.doubleValue();
    }

    public String path(String name) {
        return prefix + clean(name);
    }

    JsonNode node() {
        return object;
    }

    public ProtocolException wrongType(String path, String expected, JsonNode node) {
        return error(ErrorCode.INVALID_TYPE, path, path + " must be " + expected + ": " + show(node));
    }

    public ProtocolException outOfRange(String path, String expected, JsonNode node) {
        return error(ErrorCode.INVALID_VALUE, path, path + " must be " + expected + ": " + show(node));
    }

    public ProtocolException error(ErrorCode code, @Nullable String path, String message) {
        return new ProtocolException(code, path, message, id);
    }

    /** The JSON of a value, short enough for an error message. */
    private static String show(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array of " + node.size();
            case STRING -> '"' + clean(node.textValue()) + '"';
            case BINARY, BOOLEAN, MISSING, NULL, NUMBER, POJO -> clean(node.asText());
        };
    }

    /** At most 60 characters, without control characters and unpaired surrogates. */
    static String clean(String text) {
        return clean(text, SHOWN_CHARS);
    }

    static String clean(String text, int maxChars) {
        boolean cut = text.length() > maxChars;
        String head = cut ? text.substring(0, maxChars) : text;
        StringBuilder out = new StringBuilder(head.length() + 1);
        head.codePoints()
                .map(c -> Character.isISOControl(c) || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) ? 0xFFFD : c)
                .forEach(out::appendCodePoint);
        return cut ? out.append('…').toString() : out.toString();
    }

    /** Whether every surrogate has its partner, so that the text survives UTF-8. */
    static boolean isWellFormed(String text) {
        return text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    private static String plain(float value) {
        return new BigDecimal(Float.toString(value)).stripTrailingZeros().toPlainString();
    }
}
