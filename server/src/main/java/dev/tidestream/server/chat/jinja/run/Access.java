package dev.tidestream.server.chat.jinja.run;

import java.math.BigInteger;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** {@code a.name} and {@code a[key]}. Methods win over keys in the first, keys in the second. What is not there is undefined. */
final class Access {

    private Access() {}

    static Value attribute(Value target, String name, Rendering runtime) {
        Value found = named(Values.defined(target), name, runtime);
        if (found == null && target instanceof Dict dict) {
            found = dict.get(name);
        }
        return found != null ? found : missing(target, name);
    }

    /** A method or an attribute, but not a key; or null. */
    static @Nullable Value named(Value target, String name, Rendering runtime) {
        return switch (target) {
            case Text text -> TextMethods.find(text, name, runtime);
            case Dict dict -> DictMethods.find(dict, name, runtime);
            case Sequence group when group.kind() == Sequence.Kind.GROUP && (name.equals("grouper") || name.equals("list")) ->
                group.items().get(name.equals("grouper") ? 0 : 1);
            case Sequence sequence -> ListMethods.find(sequence, name, runtime);
            case Value.Instance instance -> instance.attribute(name);
            case Value _ -> null;
        };
    }

    static Value item(Value target, Value key, Rendering runtime) {
        Values.defined(target);
        BigInteger number = Values.asInteger(key);
        if (target instanceof Dict dict) {
            Value value = hashable(key) ? dict.get(key) : null;
            if (value != null) {
                return value;
            }
        } else if (number != null && number.bitLength() < Integer.SIZE) {
            Value value = element(target, number.intValue());
            if (value != null) {
                return value;
            }
        }
        if (key instanceof Text name) {
            Value found = named(target, name.chars(), runtime);
            return found != null ? found : missing(target, name.chars());
        }
        return new Value.Undefined(Values.typeName(target) + " object has no element "
                + (number != null ? number.toString() : "of type '" + Values.typeName(key) + "'"));
    }

    private static boolean hashable(Value key) {
        return !(key instanceof Dict) && !(key instanceof Sequence list && list.kind() != Sequence.Kind.TUPLE);
    }

    private static @Nullable Value element(Value target, int index) {
        Integer length = Values.length(target);
        if (length == null || (target instanceof Sequence sequence && !sequence.kind().indexed())) {
            return null;
        }
        int at = index < 0 ? index + length : index;
        if (at < 0 || at >= length) {
            return null;
        }
        return switch (target) {
            case Text text -> text.sub(text.offset(at), text.offset(at + 1));
            case Sequence sequence -> sequence.items().get(at);
            case Value _ -> null;
        };
    }

    private static Value missing(Value target, String name) {
        return new Value.Undefined("'" + Values.typeName(target) + " object' has no attribute '" + name + "'");
    }

    /** What stands for a method that changes its object where that is not allowed. */
    static Value unsafe(Value target, String name) {
        return new Value.Undefined("access to attribute '" + name + "' of '" + Values.typeName(target) + "' object is unsafe: lists and dicts "
                + "may not be changed");
    }

    /** A value by a path such as {@code function.name} or {@code 0.role}, as filters take it for {@code attribute}. */
    static Value path(Value target, Value path, Rendering runtime) {
        return path(target, path, null, runtime);
    }

    /** The same with something else in the place of every part that is not there. */
    static Value path(Value target, Value path, @Nullable Value otherwise, Rendering runtime) {
        if (!(path instanceof Text text)) {
            return or(item(target, path, runtime), otherwise);
        }
        Value value = target;
        for (String part : text.chars().split("\\.", -1)) {
            boolean number = !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            value = or(item(value, number ? Value.Int.of(Integer.parseInt(part)) : Text.of(part), runtime), otherwise);
        }
        return value;
    }

    private static Value or(Value value, @Nullable Value otherwise) {
        return value instanceof Value.Undefined && otherwise != null ? otherwise : value;
    }

    /** Calls a value. */
    static Value call(Value function, Arguments arguments) {
        if (Values.defined(function) instanceof Value.Instance instance) {
            return instance.call(arguments);
        }
        throw TemplateException.runtime("'" + Values.typeName(function) + "' object is not callable");
    }
}
