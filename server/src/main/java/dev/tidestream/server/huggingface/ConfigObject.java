package dev.tidestream.server.huggingface;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;

import dev.tidestream.model.architecture.ModelException;
import dev.tidestream.model.gguf.GgufException;

/**
 * An object of a configuration file. It remembers which of its keys were asked for: a key that nobody asked for, and that is not known
 * to change nothing, is refused in the end. A null is as good as no key. For one thread.
 */
final class ConfigObject {
    private final String where;
    private final JsonNode node;
    private final Set<String> read = new HashSet<>();

    /** @param where the names of the objects that it is in, each with a point behind; for messages */
    ConfigObject(String where, JsonNode node) {
        this.where = where;
        this.node = node;
    }

    Optional<JsonNode> find(String key) {
        read.add(key);
        return Optional.ofNullable(node.get(key)).filter(value -> !value.isNull());
    }

    /** Whether a key is there with a null, which for some keys means another thing than no key. */
    boolean isNull(String key) {
        read.add(key);
        JsonNode value = node.get(key);
        return value != null && value.isNull();
    }

    boolean has(String key) {
        return find(key).isPresent();
    }

    /** An object in this one; it has to look after its keys itself. */
    Optional<ConfigObject> findObject(String key) {
        return find(key).map(value -> {
            if (!value.isObject()) {
                throw refused(key, "is no object");
            }
            return new ConfigObject(where + key + ".", value);
        });
    }

    Optional<Integer> findInteger(String key) {
        return find(key).map(value -> {
            if (!value.isIntegralNumber() || !value.canConvertToInt()) {
                throw refused(key, "is no integer, or out of range");
            }
            return value.intValue();
        });
    }

    Optional<Double> findNumber(String key) {
        return find(key).map(value -> {
            if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
                throw refused(key, "is no finite number");
            }
            return value.doubleValue();
        });
    }

    double number(String key) {
        return findNumber(key).orElseThrow(() -> missing(key));
    }

    Optional<String> findText(String key) {
        return find(key).map(value -> {
            if (!value.isTextual()) {
                throw refused(key, "is no text");
            }
            return value.textValue();
        });
    }

    Optional<Boolean> findBool(String key) {
        return find(key).map(value -> {
            if (!value.isBoolean()) {
                throw refused(key, "is neither true nor false");
            }
            return value.booleanValue();
        });
    }

    boolean bool(String key, boolean fallback) {
        return findBool(key).orElse(fallback);
    }

    /** An array; none if the key is missing. */
    Optional<List<JsonNode>> findArray(String key) {
        return find(key).map(value -> {
            if (!value.isArray()) {
                throw refused(key, "is no array");
            }
            List<JsonNode> elements = new ArrayList<>();
            value.forEach(elements::add);
            return elements;
        });
    }

    /** An array of numbers; none if the key is missing. */
    Optional<float[]> findFloats(String key) {
        return findArray(key).map(elements -> {
            float[] floats = new float[elements.size()];
            for (int i = 0; i < floats.length; i++) {
                floats[i] = elements.get(i).floatValue();
                if (!elements.get(i).isNumber() || !(floats[i] > 0) || !Float.isFinite(floats[i])) {
                    throw refused(key, "has an element that is no number above 0");
                }
            }
            return floats;
        });
    }

    /** Refuses a value other than false, which a missing key means, too. */
    void requireFalse(String key, String what) {
        if (bool(key, false)) {
            throw refused(key, "is not supported: " + what);
        }
    }

    /** Refuses a value other than true, which a missing key means, too. */
    void requireTrue(String key, String what) {
        if (!bool(key, true)) {
            throw refused(key, "is not supported: " + what);
        }
    }

    /** Refuses a key with any value. */
    void requireAbsent(String key, String what) {
        if (has(key)) {
            throw refused(key, "is not supported: " + what);
        }
    }

    /**
     * Refuses keys that nobody has asked for.
     *
     * @param harmless those that do not change what is computed
     */
    void requireAllRead(Set<String> harmless) {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            String key = entry.getKey();
            if (!entry.getValue().isNull() && !read.contains(key) && !harmless.contains(key)) {
                throw refused(key, "is not known to this version, and may change how the model computes;"
                        + " if it is a remark only, remove the key from the file");
            }
        }
    }

    /** The refusal of a value: {@code key=value why}. */
    ModelException refused(String key, String why) {
        return new ModelException("%s=%s %s".formatted(
                GgufException.quote(where + key), GgufException.quote(String.valueOf(node.get(key))), why));
    }

    ModelException missing(String key) {
        return new ModelException("%s is missing".formatted(GgufException.quote(where + key)));
    }
}
