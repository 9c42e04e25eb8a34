package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Methods of a dict. Those that change it are refused, unless {@link Rendering#changes} has them. */
final class DictMethods {
    private static final Set<String> CHANGES = Set.of("clear", "pop", "popitem", "setdefault", "update");

    private DictMethods() {}

    /** A method, or null if there is none of this name. */
    static @Nullable Value find(Dict dict, String name, Rendering runtime) {
        if (CHANGES.contains(name)) {
            return runtime.changes() ? new BuiltIn("method", arguments -> change(dict, name, arguments, runtime)) : Access.unsafe(dict, name);
        }
        return switch (name) {
            case "get" -> new BuiltIn("method", arguments -> {
                @Nullable Value[] bound = arguments.bind("get", 1, "key", "default");
                return or(dict.get(key(bound[0])), bound[1]);
            });
            case "items" -> view(name, Sequence.Kind.ITEMS, Values.items(dict));
            case "keys" -> view(name, Sequence.Kind.KEYS, Values.keys(dict));
            case "values" -> view(name, Sequence.Kind.VALUES, values(dict));
            case "copy" -> new BuiltIn("method", _ -> copy(dict));
            default -> null;
        };
    }

    private static Value view(String name, Sequence.Kind kind, List<Value> items) {
        return new BuiltIn("method", arguments -> {
            arguments.bind(name, 0);
            return Sequence.of(kind, items);
        });
    }

    private static List<Value> values(Dict dict) {
        List<Value> values = new ArrayList<>(dict.size());
        dict.entries().forEach(entry -> values.add(entry.value()));
        return values;
    }

    private static Dict copy(Dict dict) {
        Dict copy = new Dict();
        dict.entries().forEach(entry -> copy.put(entry.key(), entry.value()));
        return copy;
    }

    private static Value or(@Nullable Value value, @Nullable Value otherwise) {
        return value != null ? value : otherwise != null ? otherwise : Value.None.NONE;
    }

    private static Value key(@Nullable Value key) {
        return key == null ? Value.None.NONE : key;
    }

    private static Value change(Dict dict, String name, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind(name, 0, "key", "default");
        return switch (name) {
            case "clear" -> {
                dict.clear();
                yield Value.None.NONE;
            }
            case "pop" -> removed(dict, key(bound[0]), bound[1], runtime);
            case "popitem" -> {
                if (dict.size() == 0) {
                    throw TemplateException.runtime("popitem(): dictionary is empty");
                }
                Dict.Entry last = List.copyOf(dict.entries()).getLast();
                dict.remove(last.key());
                yield Sequence.tuple(last.key(), last.value());
            }
            case "setdefault" -> {
                Value there = dict.get(key(bound[0]));
                if (there == null) {
                    dict.put(key(bound[0]), key(bound[1]));
                }
                yield or(there, bound[1]);
            }
            default -> {
                addAll(dict, key(bound[0]), runtime);
                yield Value.None.NONE;
            }
        };
    }

    private static Value removed(Dict dict, Value key, @Nullable Value otherwise, Rendering runtime) {
        Value removed = dict.remove(key);
        if (removed == null && otherwise == null) {
            throw TemplateException.runtime("no such key: " + Printing.repr(key, runtime.budget()));
        }
        return or(removed, otherwise);
    }

    /** Adds what a dict or pairs have. */
    static void addAll(Dict dict, Value source, Rendering runtime) {
        List<Value> pairs = source instanceof Dict other ? Values.items(other) : Values.iterate(source, runtime.budget());
        for (Value pair : pairs) {
            List<Value> parts = Values.iterate(pair, runtime.budget());
            if (parts.size() != 2) {
                throw TemplateException.runtime("a dict is made of pairs; there is one with " + parts.size() + " element(s)");
            }
            runtime.budget().charge(1);
            dict.put(parts.get(0), parts.get(1));
        }
    }
}
