package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Lazy;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** {@code map}, {@code select}, {@code reject} and those by attribute. All are lazy. */
final class SelectionFilters {

    private SelectionFilters() {}

    static void addTo(Map<String, Filters.Filter> filters) {
        filters.put("map", SelectionFilters::map);
        filters.put("select", (target, arguments, runtime) -> select(target, test(arguments, runtime), runtime));
        filters.put("reject", (target, arguments, runtime) -> select(target, test(arguments, runtime).negate(), runtime));
        filters.put("selectattr", (target, arguments, runtime) -> select(target, attributeTest(arguments, runtime), runtime));
        filters.put("rejectattr", (target, arguments, runtime) -> select(target, attributeTest(arguments, runtime).negate(), runtime));
    }

    private static Value select(Value target, Predicate<Value> test, Rendering runtime) {
        return new Lazy(() -> {
            List<Value> selected = new ArrayList<>();
            for (Value item : truthful(target, runtime)) {
                runtime.budget().elements(1);
                if (test.test(item)) {
                    selected.add(item);
                }
            }
            return selected;
        });
    }

    /** What is false has no elements, whatever it is. */
    private static List<Value> truthful(Value target, Rendering runtime) {
        return Values.truth(target) ? Values.iterate(target, runtime.budget()) : List.of();
    }

    /** A test by name with what it takes, or truth. */
    private static Predicate<Value> test(Arguments arguments, Rendering runtime) {
        if (arguments.positional().isEmpty()) {
            return Values::truth;
        }
        String name = Printing.text(arguments.positional().getFirst(), runtime.budget()).chars();
        Arguments rest = arguments.rest();
        return item -> Tests.apply(name, item, rest, runtime);
    }

    private static Predicate<Value> attributeTest(Arguments arguments, Rendering runtime) {
        if (arguments.positional().isEmpty()) {
            throw TemplateException.runtime("Missing parameter for attribute name");
        }
        Value attribute = arguments.positional().getFirst();
        Predicate<Value> test = test(arguments.rest(), runtime);
        return item -> test.test(Access.path(item, attribute, runtime));
    }

    private static Value map(Value target, Arguments arguments, Rendering runtime) {
        UnaryOperator<Value> mapping = arguments.positional().isEmpty() ? byAttribute(arguments, runtime) : byFilter(arguments, runtime);
        return new Lazy(() -> {
            List<Value> mapped = new ArrayList<>();
            for (Value item : truthful(target, runtime)) {
                runtime.budget().elements(1);
                mapped.add(mapping.apply(item));
            }
            return mapped;
        });
    }

    private static UnaryOperator<Value> byAttribute(Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("map", 0, "attribute", "default");
        Value attribute = bound[0];
        Value otherwise = bound[1];
        if (attribute == null) {
            throw TemplateException.runtime("map requires a filter argument");
        }
        return item -> Access.path(item, attribute, otherwise, runtime);
    }

    private static UnaryOperator<Value> byFilter(Arguments arguments, Rendering runtime) {
        String name = Printing.text(arguments.positional().getFirst(), runtime.budget()).chars();
        Arguments rest = arguments.rest();
        return item -> Filters.apply(name, item, rest, runtime);
    }
}
