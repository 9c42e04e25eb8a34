package dev.tidestream.server.chat.jinja.value;

import java.util.List;
import java.util.function.Supplier;

/**
 * What {@code map}, {@code select} and their kin give: elements that are made when they are asked for, once. It has no length, is not JSON
 * and is true even without elements, as Python's generators. One thread.
 */
public final class Lazy implements Value {
    private final Supplier<List<Value>> source;
    private boolean taken;

    public Lazy(Supplier<List<Value>> source) {
        this.source = source;
    }

    /** All elements the first time, none later. */
    public List<Value> take() {
        if (taken) {
            return List.of();
        }
        taken = true;
        return source.get();
    }
}
