package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Lazy;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Texts;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Filters that sort, group or choose by order. Texts are compared without regard to case, unless {@code case_sensitive} is true. */
final class OrderFilters {

    private OrderFilters() {}

    /** An element and what it is compared by. */
    private record Keyed(Value key, Value item) {}

    static void addTo(Map<String, Filters.Filter> filters) {
        filters.put("sort", OrderFilters::sort);
        filters.put("dictsort", OrderFilters::sortDict);
        filters.put("unique", OrderFilters::unique);
        filters.put("groupby", OrderFilters::group);
        filters.put("min", (target, arguments, runtime) -> extreme("min", 1, target, arguments, runtime));
        filters.put("max", (target, arguments, runtime) -> extreme("max", -1, target, arguments, runtime));
    }

    private static boolean truth(@Nullable Value value) {
        return value != null && Values.truth(value);
    }

    private static Value folded(Value value, boolean caseSensitive, Rendering runtime) {
        return !caseSensitive && value instanceof Text text ? Texts.lower(text, runtime.budget()) : value;
    }

    private static List<Keyed> keyed(Value target, @Nullable Value attribute, boolean caseSensitive, Rendering runtime) {
        List<Keyed> keyed = new ArrayList<>();
        List<Value> items = Values.iterate(target, runtime.budget());
        runtime.budget().elements(2L * items.size());
        for (Value item : items) {
            Value key = attribute == null || attribute instanceof Value.None ? item : Access.path(item, attribute, runtime);
            keyed.add(new Keyed(folded(key, caseSensitive, runtime), item));
        }
        return keyed;
    }

    private static Comparator<Keyed> order(boolean reverse, Rendering runtime) {
        Comparator<Keyed> order = (a, b) -> Operators.compare(a.key(), b.key(), runtime.budget());
        return reverse ? (a, b) -> order.compare(b, a) : order;
    }

    private static Sequence items(List<Keyed> keyed) {
        return Sequence.list(keyed.stream().map(Keyed::item).toList());
    }

    private static Value sort(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("sort", 0, "reverse", "case_sensitive", "attribute");
        boolean several = bound[2] instanceof Text attribute && attribute.chars().indexOf(',') >= 0;
        List<Keyed> keyed = several ? keyedByAll(target, (Text) bound[2], truth(bound[1]), runtime)
                : keyed(target, bound[2], truth(bound[1]), runtime);
        keyed.sort(order(truth(bound[0]), runtime));
        return items(keyed);
    }

    /** {@code attribute='a,b'}: by the first, then by the second. */
    private static List<Keyed> keyedByAll(Value target, Text attributes, boolean caseSensitive, Rendering runtime) {
        List<Keyed> keyed = new ArrayList<>();
        for (Value item : Values.iterate(target, runtime.budget())) {
            List<Value> keys = new ArrayList<>();
            for (String attribute : attributes.chars().split(",", -1)) {
                runtime.budget().elements(1);
                keys.add(folded(Access.path(item, Text.of(attribute), runtime), caseSensitive, runtime));
            }
            keyed.add(new Keyed(Sequence.of(Sequence.Kind.LIST, keys), item));
        }
        return keyed;
    }

    private static Value sortDict(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("dictsort", 0, "case_sensitive", "by", "reverse");
        String by = bound[1] == null ? "key" : bound[1] instanceof Text text ? text.chars() : "";
        if (!by.equals("key") && !by.equals("value")) {
            throw TemplateException.runtime("You can only sort by either \"key\" or \"value\"");
        }
        if (!(Values.defined(target) instanceof Dict dict)) {
            throw TemplateException.runtime("'" + Values.typeName(target) + "' object has no items to sort");
        }
        Value place = Value.Int.of(by.equals("key") ? 0 : 1);
        List<Keyed> keyed = keyed(Sequence.of(Sequence.Kind.LIST, Values.items(dict)), place, truth(bound[0]), runtime);
        keyed.sort(order(truth(bound[2]), runtime));
        return items(keyed);
    }

    private static Value unique(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("unique", 0, "case_sensitive", "attribute");
        return new Lazy(() -> {
            Dict seen = new Dict();
            for (Keyed one : keyed(target, bound[1], truth(bound[0]), runtime)) {
                if (seen.get(one.key()) == null) {
                    seen.put(one.key(), one.item());
                }
            }
            return seen.entries().stream().map(Dict.Entry::value).toList();
        });
    }

    private static Value group(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("groupby", 1, "attribute", "default", "case_sensitive");
        boolean caseSensitive = truth(bound[2]);
        List<Keyed> keyed = new ArrayList<>();
        Value attribute = bound[0] == null ? Value.None.NONE : bound[0];
        for (Value item : Values.iterate(target, runtime.budget())) {
            runtime.budget().elements(4);
            Value key = Access.path(item, attribute, bound[1], runtime);
            keyed.add(new Keyed(folded(key, caseSensitive, runtime), Sequence.tuple(key, item)));
        }
        keyed.sort(order(false, runtime));
        List<Value> groups = new ArrayList<>();
        List<Value> group = new ArrayList<>();
        for (int i = 0; i < keyed.size(); i++) {
            List<Value> pair = Values.iterate(keyed.get(i).item(), runtime.budget());
            group.add(pair.get(1));
            if (i + 1 == keyed.size() || !Operators.equal(keyed.get(i).key(), keyed.get(i + 1).key(), runtime.budget())) {
                List<Value> first = Values.iterate(keyed.get(i + 1 - group.size()).item(), runtime.budget());
                groups.add(Sequence.of(Sequence.Kind.GROUP, List.of(first.get(0), Sequence.list(group))));
                group.clear();
            }
        }
        return Sequence.list(groups);
    }

    /** The first of the least; for {@code direction} -1 of the greatest. */
    private static Value extreme(String name, int direction, Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind(name, 0, "case_sensitive", "attribute");
        List<Keyed> keyed = keyed(target, bound[1], truth(bound[0]), runtime);
        if (keyed.isEmpty()) {
            return new Value.Undefined("No aggregated item, sequence was empty.");
        }
        Keyed best = keyed.getFirst();
        for (Keyed one : keyed) {
            best = direction * Operators.compare(one.key(), best.key(), runtime.budget()) < 0 ? one : best;
        }
        return best.item();
    }
}
