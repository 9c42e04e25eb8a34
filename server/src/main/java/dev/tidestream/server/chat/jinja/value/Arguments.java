package dev.tidestream.server.chat.jinja.value;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;

/**
 * What a call hands over.
 *
 * @param positional in order
 * @param named by keyword, in the order of the call
 */
public record Arguments(List<Value> positional, Map<String, Value> named) {
    public static final Arguments NONE = new Arguments(List.of(), Map.of());

    public static Arguments of(Value... values) {
        return new Arguments(List.of(values), Map.of());
    }

    /**
     * One value for each parameter, null where there was none. More values than parameters, an unknown keyword, a parameter that is given
     * twice, or one of the first {@code required} that is not given are errors.
     */
    public @Nullable Value[] bind(String function, int required, String... parameters) {
        if (positional.size() > parameters.length) {
            throw TemplateException.runtime(function + " takes at most " + parameters.length + " argument(s), got " + positional.size());
        }
        @Nullable Value[] bound = new @Nullable Value[parameters.length];
        for (int i = 0; i < positional.size(); i++) {
            bound[i] = positional.get(i);
        }
        named.forEach((name, value) -> {
            int at = Arrays.asList(parameters).indexOf(name);
            if (at < 0) {
                throw TemplateException.runtime(function + " got an unexpected keyword argument '" + name + "'");
            }
            if (bound[at] != null) {
                throw TemplateException.runtime(function + " got multiple values for argument '" + name + "'");
            }
            bound[at] = value;
        });
        for (int i = 0; i < required; i++) {
            if (bound[i] == null) {
                throw TemplateException.runtime(function + " misses its argument '" + parameters[i] + "'");
            }
        }
        return bound;
    }

    /** The same with another first value. */
    public Arguments rest() {
        return new Arguments(positional.subList(1, positional.size()), named);
    }
}
