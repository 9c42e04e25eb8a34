package dev.tidestream.server.chat.jinja.run;

import java.util.HashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.value.Value;

/** Names and values of a block; what is not there is looked for around it. {@code if} has no scope. One thread. */
final class Scope {
    private final @Nullable Scope outer;
    private final Map<String, Value> values;

    private Scope(@Nullable Scope outer, Map<String, Value> values) {
        this.outer = outer;
        this.values = values;
    }

    /** The outermost one, with a copy of these. */
    static Scope of(Map<String, Value> values) {
        return new Scope(null, new HashMap<>(values));
    }

    Scope inner() {
        return new Scope(this, new HashMap<>());
    }

    void set(String name, Value value) {
        values.put(name, value);
    }

    @Nullable Value find(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            Value value = scope.values.get(name);
            if (value != null) {
                return value;
            }
        }
        return null;
    }
}
