package dev.tidestream.server.huggingface;

import java.util.LinkedHashMap;
import java.util.Map;

import dev.tidestream.model.gguf.GgufValue;
import dev.tidestream.model.gguf.GgufValueType;

/** What a configuration becomes: metadata under GGUF's keys, and tensors that GGUF files have where a configuration has numbers. */
final class GgufKeys {
    private final String prefix;
    private final Map<String, GgufValue> values = new LinkedHashMap<>();
    private final Map<String, float[]> vectors = new LinkedHashMap<>();

    /** @param architecture {@code general.architecture} */
    GgufKeys(String architecture) {
        this.prefix = architecture + ".";
        values.put("general.architecture", new GgufValue.StringValue(architecture));
    }

    /** Adds a key that is no architecture's. */
    void general(String key, GgufValue value) {
        values.put(key, value);
    }

    void put(String name, int value) {
        values.put(prefix + name, new GgufValue.IntegerValue(GgufValueType.U32, value));
    }

    void put(String name, double value) {
        values.put(prefix + name, new GgufValue.FloatValue(GgufValueType.F32, (float) value));
    }

    void put(String name, String value) {
        values.put(prefix + name, new GgufValue.StringValue(value));
    }

    /** Adds a tensor of one dimension. */
    void vector(String tensor, float[] elements) {
        vectors.put(tensor, elements);
    }

    Map<String, GgufValue> values() {
        return values;
    }

    Map<String, float[]> vectors() {
        return vectors;
    }
}
