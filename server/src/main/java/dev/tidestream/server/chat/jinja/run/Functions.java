package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Namespace;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Functions that templates have: Jinja's and the two of transformers. */
final class Functions {
    private static final int MAX_RANGE = 100_000; // as Jinja's sandbox

    private Functions() {}

    /** All of them by name. */
    static Map<String, Value> all(Rendering runtime) {
        Map<String, Value> functions = new LinkedHashMap<>();
        put(functions, "range", arguments -> range(arguments, runtime));
        put(functions, "dict", arguments -> dict(arguments, runtime));
        put(functions, "namespace", arguments -> namespace(arguments, runtime));
        put(functions, "cycler", Cycler::new);
        put(functions, "joiner", arguments -> joiner(arguments, runtime));
        put(functions, "raise_exception", arguments -> raise(arguments, runtime));
        put(functions, "strftime_now", arguments -> {
            Value format = arguments.bind("strftime_now", 1, "format")[0];
            return Text.of(Strftime.format(Printing.text(format, runtime.budget()).chars(), runtime.now()));
        });
        return functions;
    }

    private static void put(Map<String, Value> functions, String name, BuiltIn.Body body) {
        functions.put(name, new BuiltIn("function", body));
    }

    private static Value raise(Arguments arguments, Rendering runtime) {
        Value message = arguments.bind("raise_exception", 1, "message")[0];
        throw new TemplateException(TemplateException.Kind.RAISED, Printing.text(message, runtime.budget()).chars());
    }

    private static Value range(Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("range", 1, "start", "stop", "step");
        long start = bound[1] == null ? 0 : Values.index(bound[0], "start");
        long stop = Values.index(bound[1] == null ? bound[0] : bound[1], "stop");
        long step = bound[2] == null ? 1 : Values.index(bound[2], "step");
        if (step == 0) {
            throw TemplateException.runtime("range() arg 3 must not be zero");
        }
        long count = Math.max(0, step > 0 ? Math.ceilDiv(stop - start, step) : Math.ceilDiv(start - stop, -step));
        if (count > MAX_RANGE) {
            throw TemplateException.runtime("Range too big: elements=" + count + ", limit=" + MAX_RANGE);
        }
        runtime.budget().elements(count);
        List<Value> items = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            items.add(Value.Int.of(start + i * step));
        }
        return Sequence.of(Sequence.Kind.RANGE, items);
    }

    private static Dict dict(Arguments arguments, Rendering runtime) {
        if (arguments.positional().size() > 1) {
            throw TemplateException.runtime("dict expected at most 1 argument, got " + arguments.positional().size());
        }
        Dict dict = new Dict();
        for (Value source : arguments.positional()) {
            DictMethods.addAll(dict, source, runtime);
        }
        arguments.named().forEach((name, value) -> dict.put(Text.of(name), value));
        return dict;
    }

    private static Value namespace(Arguments arguments, Rendering runtime) {
        Namespace namespace = new Namespace();
        dict(arguments, runtime).entries().forEach(entry -> namespace.values().put(entry.key(), entry.value()));
        return namespace;
    }

    private static Value joiner(Arguments arguments, Rendering runtime) {
        Value separator = arguments.bind("joiner", 0, "sep")[0];
        Text text = separator == null ? Text.of(", ") : Printing.text(separator, runtime.budget());
        boolean[] used = new boolean[1];
        return new BuiltIn("Joiner", _ -> {
            Text now = used[0] ? text : Text.EMPTY;
            used[0] = true;
            return now;
        });
    }

    /** {@code cycler(a, b)}: each in turn. One thread. */
    private static final class Cycler implements Value.Instance {
        private final List<Value> items;
        private int at;

        Cycler(Arguments arguments) {
            items = arguments.positional();
            if (items.isEmpty()) {
                throw TemplateException.runtime("at least one item has to be provided");
            }
        }

        @Override
        public String typeName() {
            return "Cycler";
        }

        @Override
        public @Nullable Value attribute(String name) {
            return switch (name) {
                case "current" -> items.get(at);
                case "next" -> new BuiltIn("Cycler.next", _ -> {
                    Value item = items.get(at);
                    at = (at + 1) % items.size();
                    return item;
                });
                case "reset" -> new BuiltIn("Cycler.reset", _ -> {
                    at = 0;
                    return None.NONE;
                });
                default -> null;
            };
        }
    }
}
