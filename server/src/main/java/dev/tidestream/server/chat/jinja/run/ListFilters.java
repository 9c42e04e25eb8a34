package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Lazy;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Texts;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Filters of lists and of any value that keep its order. */
final class ListFilters {

    private ListFilters() {}

    static void addTo(Map<String, Filters.Filter> filters) {
        filters.put("length", ListFilters::length);
        filters.put("count", ListFilters::length);
        filters.put("default", ListFilters::otherwise);
        filters.put("d", ListFilters::otherwise);
        filters.put("list", (target, arguments, runtime) -> {
            arguments.bind("list", 0);
            runtime.budget().elements(1);
            return Sequence.list(copied(target, runtime));
        });
        filters.put("first", (target, arguments, runtime) -> {
            arguments.bind("first", 0);
            List<Value> items = Values.iterate(target, runtime.budget());
            return items.isEmpty() ? new Value.Undefined("No first item, sequence was empty.") : items.getFirst();
        });
        filters.put("last", (target, arguments, runtime) -> {
            arguments.bind("last", 0);
            if (target instanceof Lazy || target instanceof Value.Undefined) {
                throw TemplateException.runtime("'" + Values.typeName(target) + "' object is not reversible");
            }
            List<Value> items = Values.iterate(target, runtime.budget());
            return items.isEmpty() ? new Value.Undefined("No last item, sequence was empty.") : items.getLast();
        });
        filters.put("reverse", ListFilters::reverse);
        filters.put("join", ListFilters::join);
        filters.put("items", (target, arguments, runtime) -> {
            arguments.bind("items", 0);
            return new Lazy(() -> items(target, runtime.budget()));
        });
        filters.put("attr", (target, arguments, runtime) -> {
            Text name = Printing.text(argument(arguments.bind("attr", 1, "name")[0]), runtime.budget());
            Value found = Access.named(Values.defined(target), name.chars(), runtime);
            return found != null ? found
                    : new Value.Undefined("'" + Values.typeName(target) + " object' has no attribute '" + name.chars() + "'");
        });
        filters.put("batch", ListFilters::batch);
        filters.put("slice", ListFilters::slice);
    }

    private static List<Value> copied(Value target, Rendering runtime) {
        List<Value> items = Values.iterate(target, runtime.budget());
        runtime.budget().elements(items.size());
        return items;
    }

    private static Value argument(@Nullable Value value) {
        return value == null ? Value.None.NONE : value;
    }

    private static Value length(Value target, Arguments arguments, Rendering runtime) {
        arguments.bind("length", 0);
        Integer length = Values.length(target);
        if (length == null) {
            throw TemplateException.runtime("object of type '" + Values.typeName(target) + "' has no len()");
        }
        return Value.Int.of(length);
    }

    private static Value otherwise(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("default", 0, "default_value", "boolean");
        boolean absent = target instanceof Value.Undefined || (bound[1] != null && Values.truth(bound[1]) && !Values.truth(target));
        return !absent ? target : bound[0] == null ? Text.EMPTY : bound[0];
    }

    private static Value reverse(Value target, Arguments arguments, Rendering runtime) {
        arguments.bind("reverse", 0);
        List<Value> items = new ArrayList<>(copied(target, runtime));
        Collections.reverse(items);
        return target instanceof Text text ? Texts.join(Text.EMPTY, items, runtime.budget()).safe(text.safe()) : new Lazy(() -> items);
    }

    private static Value join(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("join", 0, "d", "attribute");
        Value separator = bound[0] == null ? Text.EMPTY : bound[0];
        List<Value> items = Values.iterate(target, runtime.budget());
        Value attribute = bound[1];
        if (attribute != null && !(attribute instanceof Value.None)) {
            items = items.stream().map(item -> Access.path(item, attribute, runtime)).toList();
        }
        return Texts.join(Printing.text(separator, runtime.budget()), items, runtime.budget());
    }

    private static List<Value> items(Value target, Budget budget) {
        if (target instanceof Value.Undefined) {
            return List.of();
        }
        if (!(target instanceof Dict dict)) {
            throw TemplateException.runtime("Can only get item pairs from a mapping, not from a '" + Values.typeName(target) + "'");
        }
        budget.elements(2L * dict.size());
        return Values.items(dict);
    }

    /** Lists of so many elements; the last one may be filled up. */
    private static Value batch(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("batch", 1, "linecount", "fill_with");
        int size = Values.index(argument(bound[0]), "linecount");
        Value fill = argument(bound[1]);
        List<Value> items = copied(target, runtime);
        return new Lazy(() -> {
            List<Value> batches = new ArrayList<>();
            for (int i = 0; i < items.size(); i += Math.max(1, size)) {
                List<Value> batch = new ArrayList<>(items.subList(i, Math.min(items.size(), i + Math.max(1, size))));
                if (!(fill instanceof Value.None)) {
                    runtime.budget().elements(Math.max(0, size - batch.size()));
                    batch.addAll(Collections.nCopies(Math.max(0, size - batch.size()), fill));
                }
                batches.add(Sequence.of(Sequence.Kind.LIST, batch));
            }
            return batches;
        });
    }

    /** So many lists, the first ones one element longer; the others may be filled up by one. */
    private static Value slice(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("slice", 1, "slices", "fill_with");
        int slices = Values.index(argument(bound[0]), "slices");
        if (slices <= 0) {
            throw TemplateException.runtime("integer division or modulo by zero");
        }
        Value fill = argument(bound[1]);
        List<Value> items = copied(target, runtime);
        runtime.budget().elements(slices);
        return new Lazy(() -> {
            int size = items.size() / slices;
            int longer = items.size() % slices;
            List<Value> all = new ArrayList<>();
            for (int i = 0, start = 0; i < slices; i++) {
                int end = start + size + (i < longer ? 1 : 0);
                List<Value> slice = new ArrayList<>(items.subList(start, end));
                if (!(fill instanceof Value.None) && i >= longer) {
                    slice.add(fill);
                }
                all.add(Sequence.of(Sequence.Kind.LIST, slice));
                start = end;
            }
            return all;
        });
    }
}
