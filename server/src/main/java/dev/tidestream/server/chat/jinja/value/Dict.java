package dev.tidestream.server.chat.jinja.value;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** Keys and values in the order in which keys first came. {@code 1}, {@code 1.0} and {@code true} are one key, as in Python. One thread. */
public final class Dict implements Value {
    private final Map<Object, Entry> entries = new LinkedHashMap<>();

    /** One key and its value. */
    public record Entry(Value key, Value value) {}

    /** A value for a key; a key that is there keeps its place and its first form. */
    public void put(Value key, Value value) {
        entries.merge(hash(key, 0), new Entry(key, value), (old, now) -> new Entry(old.key(), now.value()));
    }

    public @Nullable Value get(Value key) {
        Entry entry = entries.get(hash(key, 0));
        return entry == null ? null : entry.value();
    }

    public @Nullable Value get(String key) {
        return get(Text.of(key));
    }

    public @Nullable Value remove(Value key) {
        Entry entry = entries.remove(hash(key, 0));
        return entry == null ? null : entry.value();
    }

    public Collection<Entry> entries() {
        return entries.values();
    }

    public int size() {
        return entries.size();
    }

    public void clear() {
        entries.clear();
    }

    /** What equal keys have in common. */
    static Object hash(Value key, int depth) {
        return switch (key) {
            case Text text -> text.chars();
            case Bool bool -> Values.number(bool == Bool.TRUE ? 1 : 0);
            case Int(var value) -> value;
            case Real(double value) -> value == Math.rint(value) && !Double.isInfinite(value) ? Values.integer(value) : (Object) value;
            case Sequence tuple when tuple.kind() == Sequence.Kind.TUPLE -> {
                if (depth > 20) {
                    throw Budget.limit("a key is nested too deeply: depth>20");
                }
                yield tuple.items().stream().map(item -> hash(item, depth + 1)).toList();
            }
            case Sequence list when list.kind() != Sequence.Kind.RANGE -> throw unhashable(key);
            case Dict _ -> throw unhashable(key);
            case Undefined _ -> Undefined.class;
            case None none -> none;
            case Sequence _, Lazy _, Instance _ -> key;
        };
    }

    private static TemplateException unhashable(Value key) {
        return TemplateException.runtime("unhashable type: '" + Values.typeName(key) + "'");
    }
}
