package dev.tidestream.server.chat.jinja.run;

import java.util.Collections;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Methods of lists and tuples. Those that change a list are refused, unless {@link Rendering#changes} has them. */
final class ListMethods {
    private static final Set<String> CHANGES = Set.of("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort");

    private ListMethods() {}

    /** A method, or null if there is none of this name. */
    static @Nullable Value find(Sequence list, String name, Rendering runtime) {
        if (list.kind() == Sequence.Kind.LIST && CHANGES.contains(name)) {
            return runtime.changes() ? new BuiltIn("method", arguments -> change(list, name, arguments, runtime)) : Access.unsafe(list, name);
        }
        if (!list.kind().indexed()) {
            return null;
        }
        return switch (name) {
            case "count" -> new BuiltIn("method", arguments -> {
                Value wanted = given(arguments.bind(name, 1, "value")[0]);
                return Value.Int.of(list.items().stream().filter(item -> Operators.equal(item, wanted, runtime.budget())).count());
            });
            case "index" -> new BuiltIn("method", arguments -> Value.Int.of(place(list, given(arguments.bind(name, 1, "value")[0]), runtime)));
            case "copy" -> list.kind() == Sequence.Kind.LIST ? new BuiltIn("method", _ -> Sequence.list(list.items())) : null;
            default -> null;
        };
    }

    private static Value given(@Nullable Value value) {
        return value == null ? Value.None.NONE : value;
    }

    private static int place(Sequence list, Value wanted, Rendering runtime) {
        for (int i = 0; i < list.items().size(); i++) {
            if (Operators.equal(list.items().get(i), wanted, runtime.budget())) {
                return i;
            }
        }
        throw TemplateException.runtime("the value is not in the list");
    }

    private static Value change(Sequence list, String name, Arguments arguments, Rendering runtime) {
        List<Value> items = list.items();
        runtime.budget().elements(name.equals("append") ? 1 : items.size());
        @Nullable Value[] bound = arguments.bind(name, 0, "first", "second");
        Value first = given(bound[0]);
        switch (name) {
            case "append" -> items.add(first);
            case "clear" -> items.clear();
            case "extend" -> items.addAll(List.copyOf(Values.iterate(first, runtime.budget())));
            case "insert" -> {
                int at = Values.index(first, "index");
                items.add(Math.clamp(at < 0 ? (long) at + items.size() : at, 0, items.size()), given(bound[1]));
            }
            case "remove" -> items.remove(place(list, first, runtime));
            case "reverse" -> Collections.reverse(items);
            case "sort" -> items.sort((a, b) -> Operators.compare(a, b, runtime.budget()));
            default -> {
                int at = bound[0] == null ? -1 : Values.index(first, "index");
                int place = at < 0 ? at + items.size() : at;
                if (place < 0 || place >= items.size()) {
                    throw TemplateException.runtime("pop index out of range: index=" + at + ", elements=" + items.size());
                }
                return items.remove(place);
            }
        }
        return Value.None.NONE;
    }
}
