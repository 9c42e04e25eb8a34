package dev.tidestream.server.chat.jinja.value;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
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

/** Equality, order, membership and arithmetic as in Python. */
public final class Operators {
    private static final int MAX_INTEGER_BITS = 4096;

    private Operators() {}

    /** An integer; one of more than 4,096 bits is refused. */
    public static Value integer(BigInteger value) {
        if (value.bitLength() > MAX_INTEGER_BITS) {
            throw Budget.limit("an integer becomes too large: bits>" + MAX_INTEGER_BITS);
        }
        return new Int(value);
    }

    // Equality and order

    public static boolean equal(Value a, Value b, Budget budget) {
        return equal(a, b, budget, 0);
    }

    private static boolean equal(Value a, Value b, Budget budget, int depth) {
        budget.valueDepth(depth);
        return switch (a) {
            case Text text -> b instanceof Text other && equal(text, other, budget);
            case Bool _, Int _, Real _ -> isNumber(b) && !isNan(a) && !isNan(b) && compareNumbers(a, b) == 0;
            case None _ -> b instanceof None;
            case Undefined _ -> b instanceof Undefined;
            case Sequence list -> b instanceof Sequence other && equal(list, other, budget, depth);
            case Dict dict -> b instanceof Dict other && equal(dict, other, budget, depth);
            case Lazy _, Instance _ -> a == b;
        };
    }

    private static boolean equal(Text a, Text b, Budget budget) {
        budget.charge(Math.min(a.length(), b.length()));
        return a.equals(b);
    }

    private static boolean equal(Sequence a, Sequence b, Budget budget, int depth) {
        if (a == b) {
            return true;
        }
        if (a.kind() != b.kind() || a.kind() == Sequence.Kind.VALUES || a.items().size() != b.items().size()) {
            return false;
        }
        Iterator<Value> others = b.items().iterator();
        for (Value item : a.items()) {
            if (!equal(item, others.next(), budget, depth + 1)) {
                return false;
            }
        }
        return true;
    }

    private static boolean equal(Dict a, Dict b, Budget budget, int depth) {
        if (a == b) {
            return true;
        }
        if (a.size() != b.size()) {
            return false;
        }
        for (Dict.Entry entry : a.entries()) {
            Value other = b.get(entry.key());
            if (other == null || !equal(entry.value(), other, budget, depth + 1)) {
                return false;
            }
        }
        return true;
    }

    /** Order of numbers, of texts by code points, of lists and tuples by their first difference; what has none is an error. */
    public static int compare(Value a, Value b, Budget budget) {
        return compare(a, b, budget, 0);
    }

    private static int compare(Value a, Value b, Budget budget, int depth) {
        budget.valueDepth(depth);
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof Text left && b instanceof Text right) {
            budget.charge(Math.min(left.length(), right.length()));
            return compareCodePoints(left.chars(), right.chars());
        }
        if (a instanceof Sequence left && b instanceof Sequence right && left.kind() == right.kind()
                && (left.kind() == Sequence.Kind.LIST || left.kind() == Sequence.Kind.TUPLE)) {
            int common = Math.min(left.items().size(), right.items().size());
            for (int i = 0; i < common; i++) {
                if (!equal(left.items().get(i), right.items().get(i), budget, depth + 1)) {
                    return compare(left.items().get(i), right.items().get(i), budget, depth + 1);
                }
            }
            return Integer.compare(left.items().size(), right.items().size());
        }
        Values.defined(a);
        Values.defined(b);
        throw TemplateException.runtime("'" + Values.typeName(a) + "' and '" + Values.typeName(b) + "' have no order");
    }

    private static int compareCodePoints(String a, String b) {
        int common = Math.min(a.length(), b.length());
        for (int i = 0; i < common; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean high = Character.isSurrogate(x); // a code unit of a larger code point than any other
                return high == Character.isSurrogate(y) ? Character.compare(x, y) : high ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    public static boolean isNumber(Value value) {
        return value instanceof Bool || value instanceof Int || value instanceof Real;
    }

    private static boolean isNan(Value value) {
        return value instanceof Real(double number) && Double.isNaN(number);
    }

    private static int compareNumbers(Value a, Value b) {
        BigInteger x = Values.asInteger(a);
        BigInteger y = Values.asInteger(b);
        if (x != null && y != null) {
            return x.compareTo(y);
        }
        double left = x == null ? real(a) : 0;
        double right = y == null ? real(b) : 0;
        if (x == null && y == null) {
            return left < right ? -1 : left > right ? 1 : Boolean.compare(Double.isNaN(right), Double.isNaN(left)); // NaN first
        }
        if (x == null) {
            return Double.isFinite(left) ? new BigDecimal(left).compareTo(new BigDecimal(y)) : left > 0 ? 1 : -1;
        }
        return Double.isFinite(right) ? new BigDecimal(x).compareTo(new BigDecimal(right)) : right > 0 ? -1 : 1;
    }

    private static double real(Value value) {
        return value instanceof Real(double number) ? number : Double.NaN;
    }

    /** {@code item in container}. */
    public static boolean contains(Value container, Value item, Budget budget) {
        return switch (container) {
            case Text text -> {
                if (!(item instanceof Text part)) {
                    throw TemplateException.runtime("'in <string>' requires string as left operand, not " + Values.typeName(item));
                }
                budget.charge(text.length());
                yield Search.indexOf(text.chars(), part.chars(), 0) >= 0;
            }
            case Dict dict -> dict.get(item) != null;
            case Sequence _, Lazy _, Undefined _ -> {
                for (Value element : Values.iterate(container, budget)) {
                    if (equal(element, item, budget)) {
                        yield true;
                    }
                }
                yield false;
            }
            case None _, Bool _, Int _, Real _, Instance _ ->
                throw TemplateException.runtime("argument of type '" + Values.typeName(container) + "' is not iterable");
        };
    }

    // Arithmetic

    public static Value add(Value a, Value b, Budget budget) {
        if (a instanceof Text left && b instanceof Text right) {
            boolean safe = left.safe() || right.safe();
            Text first = safe ? Texts.escape(left, budget) : left;
            Text second = safe ? Texts.escape(right, budget) : right;
            return new TextBuilder(budget).append(first).append(second).build(safe);
        }
        if (a instanceof Sequence left && b instanceof Sequence right && left.kind() == right.kind() && left.kind().indexed()
                && left.kind() != Sequence.Kind.RANGE) {
            budget.elements((long) left.items().size() + right.items().size());
            List<Value> items = new ArrayList<>(left.items());
            items.addAll(right.items());
            return Sequence.of(left.kind(), items);
        }
        return Arithmetic.of("+", a, b);
    }

    public static Value multiply(Value a, Value b, Budget budget) {
        BigInteger times = Values.asInteger(b);
        if (times != null && (a instanceof Text || a instanceof Sequence)) {
            return repeat(a, times, budget);
        }
        times = Values.asInteger(a);
        if (times != null && (b instanceof Text || b instanceof Sequence)) {
            return repeat(b, times, budget);
        }
        return Arithmetic.of("*", a, b);
    }

    private static Value repeat(Value value, BigInteger times, Budget budget) {
        int count = Math.max(0, Values.clamp(times));
        if (value instanceof Text text) {
            TextBuilder out = new TextBuilder(budget);
            for (int i = 0; i < count && !text.isEmpty(); i++) {
                out.append(text);
            }
            return out.build(text.safe());
        }
        if (value instanceof Sequence sequence && sequence.kind().indexed() && sequence.kind() != Sequence.Kind.RANGE) {
            budget.elements((long) count * sequence.items().size());
            List<Value> items = new ArrayList<>();
            for (int i = 0; i < count && !sequence.items().isEmpty(); i++) {
                items.addAll(sequence.items());
            }
            return Sequence.of(sequence.kind(), items);
        }
        throw Arithmetic.unsupported("*", value, new Int(times));
    }

    /** {@code a % b}: a remainder, or a text with values put in. */
    public static Value modulo(Value a, Value b, Budget budget) {
        return a instanceof Text format ? PercentFormat.format(format, b, budget) : Arithmetic.of("%", a, b);
    }

    /** {@code -a}; null if there is no such thing. */
    public static @Nullable Value negate(Value a) {
        if (a instanceof Real(double number)) {
            return new Real(-number);
        }
        BigInteger number = Values.asInteger(a);
        return number == null ? null : new Int(number.negate());
    }
}
