package dev.tidestream.server.chat.jinja.run;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Value;

/** Filters by name: {@code value|name(…)}. Immutable; any thread. */
final class Filters {
    private static final Set<String> UNSUPPORTED =
            Set.of("filesizeformat", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap", "xmlattr");
    private static final Map<String, Filter> ALL = all();

    /** One filter. */
    interface Filter {
        Value apply(Value target, Arguments arguments, Rendering runtime);
    }

    private Filters() {}

    private static Map<String, Filter> all() {
        Map<String, Filter> filters = new HashMap<>();
        TextFilters.addTo(filters);
        NumberFilters.addTo(filters);
        ListFilters.addTo(filters);
        OrderFilters.addTo(filters);
        SelectionFilters.addTo(filters);
        return Map.copyOf(filters);
    }

    static boolean known(String name) {
        return ALL.containsKey(name);
    }

    /** What a filter makes of a value; a name that is not known is an error. */
    static Value apply(String name, Value target, Arguments arguments, Rendering runtime) {
        Filter filter = ALL.get(name);
        if (filter == null) {
            throw TemplateException.runtime(UNSUPPORTED.contains(name) ? "the filter '" + name + "' is not supported in a chat template"
                    : "No filter named '" + name + "'");
        }
        return filter.apply(target, arguments, runtime);
    }
}
