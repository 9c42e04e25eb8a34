package dev.tidestream.server.chat.jinja.value;

import org.jspecify.annotations.Nullable;

/** {@code namespace(…)}: attributes that a template may set from within a loop. One thread. */
public final class Namespace implements Value.Instance {
    private final Dict values = new Dict();

    public Dict values() {
        return values;
    }

    @Override
    public String typeName() {
        return "Namespace";
    }

    @Override
    public @Nullable Value attribute(String name) {
        return values.get(name);
    }
}
