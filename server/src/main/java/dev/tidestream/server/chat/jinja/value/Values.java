package dev.tidestream.server.chat.jinja.value;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Value.Bool;
import dev.tidestream.server.chat.jinja.value.Value.Instance;
import dev.tidestream.server.chat.jinja.value.Value.Int;
import dev.tidestream.server.chat.jinja.value.Value.None;
import dev.tidestream.server.chat.jinja.value.Value.Real;
import dev.tidestream.server.chat.jinja.value.Value.Undefined;

/** What Python asks of any value: its type, truth, length, elements; and conversions. */
public final class Values {

    private Values() {}

    /** The name of its type in errors. */
    public static String typeName(Value value) {
        return switch (value) {
            case None _ -> "NoneType";
            case Bool _ -> "bool";
            case Int _ -> "int";
            case Real _ -> "float";
            case Undefined _ -> "Undefined";
            case Text text -> text.safe() ? "Markup" : "str";
            case Sequence sequence -> sequence.kind().typeName();
            case Lazy _ -> "generator";
            case Dict _ -> "dict";
            case Instance instance -> instance.typeName();
        };
    }

    public static boolean truth(Value value) {
        return switch (value) {
            case None _ -> false;
            case Undefined _ -> false;
            case Bool bool -> bool == Bool.TRUE;
            case Int(var number) -> number.signum() != 0;
            case Real(double number) -> number != 0;
            case Text text -> !text.isEmpty();
            case Sequence sequence -> !sequence.items().isEmpty();
            case Dict dict -> dict.size() != 0;
            case Lazy _ -> true;
            case Instance _ -> true;
        };
    }

    /** Python's {@code len}; null if it has none. */
    public static @Nullable Integer length(Value value) {
        return switch (value) {
            case Text text -> (Integer) text.codePoints();
            case Sequence sequence -> (Integer) sequence.items().size();
            case Dict dict -> (Integer) dict.size();
            case Undefined _ -> (Integer) 0;
            case None _, Bool _, Int _, Real _, Lazy _, Instance _ -> null;
        };
    }

    /** Whether {@link #iterate} gives something. */
    public static boolean iterable(Value value) {
        return switch (value) {
            case Text _, Sequence _, Dict _, Undefined _, Lazy _ -> true;
            case None _, Bool _, Int _, Real _, Instance _ -> false;
        };
    }

    /** The elements: of a text its characters, of a dict its keys, of what is undefined none. The list is not to be changed. */
    public static List<Value> iterate(Value value, Budget budget) {
        return switch (value) {
            case Sequence sequence -> charged(sequence.items(), budget);
            case Lazy lazy -> charged(lazy.take(), budget);
            case Dict dict -> {
                budget.charge(dict.size());
                yield keys(dict);
            }
            case Text text -> characters(text, budget);
            case Undefined _ -> List.of();
            case None _, Bool _, Int _, Real _, Instance _ ->
                throw TemplateException.runtime("'" + typeName(value) + "' object is not iterable");
        };
    }

    private static List<Value> charged(List<Value> items, Budget budget) {
        budget.charge(items.size());
        return items;
    }

    public static List<Value> keys(Dict dict) {
        List<Value> keys = new ArrayList<>(dict.size());
        dict.entries().forEach(entry -> keys.add(entry.key()));
        return keys;
    }

    /** Pairs of key and value, as tuples. */
    public static List<Value> items(Dict dict) {
        List<Value> items = new ArrayList<>(dict.size());
        dict.entries().forEach(entry -> items.add(Sequence.tuple(entry.key(), entry.value())));
        return items;
    }

    private static List<Value> characters(Text text, Budget budget) {
        budget.elements(text.length());
        List<Value> characters = new ArrayList<>();
        for (int i = 0; i < text.length();) {
            int end = i + Character.charCount(text.chars().codePointAt(i));
            characters.add(text.sub(i, end));
            i = end;
        }
        return characters;
    }

    static BigInteger number(long value) {
        return BigInteger.valueOf(value);
    }

    /** The integer that a float without a fraction is, or that is left without it. */
    public static BigInteger integer(double value) {
        return new BigDecimal(value).toBigInteger();
    }

    /** An integer or bool as an integer, else null. */
    public static @Nullable BigInteger asInteger(Value value) {
        return switch (value) {
            case Int(var number) -> number;
            case Bool bool -> number(bool == Bool.TRUE ? 1 : 0);
            case None _, Real _, Undefined _, Text _, Sequence _, Lazy _, Dict _, Instance _ -> null;
        };
    }

    /** Any number as a float64, else null; an integer too large for one is an error. */
    public static @Nullable Double asReal(Value value) {
        if (value instanceof Real(double number)) {
            return number;
        }
        BigInteger integer = asInteger(value);
        if (integer == null) {
            return null;
        }
        double real = integer.doubleValue();
        if (Double.isInfinite(real)) {
            throw TemplateException.runtime("int too large to convert to float");
        }
        return real;
    }

    /** An integer that counts or indexes something: a larger one is the largest or smallest int. */
    public static int clamp(BigInteger number) {
        return number.bitLength() < Integer.SIZE ? number.intValue() : number.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
    }

    /** An integer argument. */
    public static int index(Value value, String what) {
        BigInteger number = asInteger(value);
        if (number == null) {
            throw TemplateException.runtime(what + " must be an integer, not '" + typeName(value) + "'");
        }
        return clamp(number);
    }

    /** Refuses what is not there. */
    public static Value defined(Value value) {
        if (value instanceof Undefined(String reason)) {
            throw TemplateException.runtime(reason);
        }
        return value;
    }
}
