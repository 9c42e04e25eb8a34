package dev.tidestream.server.chat.jinja.value;

import java.util.ArrayList;
import java.util.List;

/** Elements in order. A list alone can change, and only where that is allowed. One thread. */
public final class Sequence implements Value {

    /** What Python calls it, and so how it prints and what it can do. */
    public enum Kind {
        LIST("list"),
        TUPLE("tuple"),
        RANGE("range"),
        KEYS("dict_keys"),
        VALUES("dict_values"),
        ITEMS("dict_items"),
        /** What {@code groupby} gives: a tuple whose elements have the names {@code grouper} and {@code list}, too. */
        GROUP("tuple");

        private final String typeName;

        Kind(String typeName) {
            this.typeName = typeName;
        }

        public String typeName() {
            return typeName;
        }

        /** Whether elements have numbers. */
        public boolean indexed() {
            return this == LIST || this == TUPLE || this == RANGE || this == GROUP;
        }
    }

    private final Kind kind;
    private final List<Value> items;

    private Sequence(Kind kind, List<Value> items) {
        this.kind = kind;
        this.items = items;
    }

    /** @param items kept, and the sequence's own from now on */
    public static Sequence of(Kind kind, List<Value> items) {
        return new Sequence(kind, items);
    }

    /** A list with a copy of these elements. */
    public static Sequence list(List<? extends Value> items) {
        return new Sequence(Kind.LIST, new ArrayList<>(items));
    }

    public static Sequence tuple(Value... items) {
        return new Sequence(Kind.TUPLE, List.of(items));
    }

    public Kind kind() {
        return kind;
    }

    /** The elements themselves: changing them changes a list. */
    public List<Value> items() {
        return items;
    }
}
