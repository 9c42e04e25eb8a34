package dev.tidestream.server.chat.jinja.run;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Arithmetic;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Texts;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Filters of numbers. */
final class NumberFilters {
    private static final int MAX_DIGITS = 1200; // of a text; as many bits as an integer may have
    private static final Pattern REAL = Pattern.compile("[+-]?(?:[0-9][0-9_]*\\.?[0-9_]*|\\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?");
    private static final Pattern LOOSE_UNDERSCORE = Pattern.compile("(?<![0-9a-zA-Z])_|_(?![0-9a-zA-Z])");

    private NumberFilters() {}

    static void addTo(Map<String, Filters.Filter> filters) {
        filters.put("abs", (target, arguments, _) -> {
            arguments.bind("abs", 0);
            Value negative = Operators.negate(Values.defined(target));
            if (negative == null) {
                throw TemplateException.runtime("bad operand type for abs(): '" + Values.typeName(target) + "'");
            }
            boolean below = target instanceof Value.Real(double real) ? real < 0 || 1 / real < 0
                    : below(Values.asInteger(target));
            Value positive = target instanceof Value.Bool ? Operators.negate(negative) : target;
            return below || positive == null ? negative : positive;
        });
        filters.put("int", NumberFilters::integer);
        filters.put("float", (target, arguments, _) -> {
            Value otherwise = arguments.bind("float", 0, "default")[0];
            Double real = real(Values.defined(target));
            return real != null ? new Value.Real(real) : otherwise != null ? otherwise : new Value.Real(0);
        });
        filters.put("round", NumberFilters::round);
        filters.put("sum", NumberFilters::sum);
    }

    private static boolean below(@Nullable BigInteger whole) {
        return whole != null && whole.signum() < 0;
    }

    private static Value integer(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("int", 0, "default", "base");
        Value otherwise = bound[0] == null ? Value.Int.of(0) : bound[0];
        if (Values.defined(target) instanceof Text text) {
            BigInteger whole = parse(text, bound[1] == null ? 10 : Values.index(bound[1], "base"), runtime);
            if (whole != null) {
                return Operators.integer(whole);
            }
        }
        BigInteger whole = Values.asInteger(target);
        if (whole != null) {
            return new Value.Int(whole);
        }
        Double real = real(target);
        if (real != null && Double.isInfinite(real) && target instanceof Value.Real) {
            throw TemplateException.runtime("cannot convert float infinity to integer");
        }
        return real == null || !Double.isFinite(real) ? otherwise : Operators.integer(Values.integer(real));
    }

    /** Python's {@code int(text, base)}; null where it fails. */
    private static @Nullable BigInteger parse(Text text, int base, Rendering runtime) {
        String digits = Texts.strip(text, null, true, true).chars();
        runtime.budget().charge(text.length());
        boolean negative = digits.startsWith("-");
        digits = negative || digits.startsWith("+") ? digits.substring(1) : digits;
        int radix = base;
        if (digits.length() > 2 && digits.charAt(0) == '0') {
            int marked = switch (digits.charAt(1)) {
                case 'x', 'X' -> 16;
                case 'o', 'O' -> 8;
                case 'b', 'B' -> 2;
                default -> 0;
            };
            if (marked != 0 && (base == marked || base == 0)) {
                radix = marked;
                digits = digits.substring(digits.charAt(2) == '_' ? 3 : 2);
            }
        }
        radix = radix == 0 ? 10 : radix;
        if (radix < 2 || radix > 36 || digits.isEmpty() || digits.length() > MAX_DIGITS || LOOSE_UNDERSCORE.matcher(digits).find()) {
            return null;
        }
        digits = digits.replace("_", "");
        for (int i = 0; i < digits.length(); i++) {
            if (Character.digit(digits.charAt(i), radix) < 0) {
                return null;
            }
        }
        BigInteger value = new BigInteger(digits, radix);
        return negative ? value.negate() : value;
    }

    /** Python's {@code float(value)}; null where it fails. */
    private static @Nullable Double real(Value value) {
        if (!(value instanceof Text text)) {
            return Values.asReal(value);
        }
        String chars = Texts.strip(text, null, true, true).chars();
        String name = chars.length() > 9 ? "" : chars.toLowerCase(Locale.ROOT);
        return switch (name) {
            case "inf", "+inf", "infinity", "+infinity" -> (Double) Double.POSITIVE_INFINITY;
            case "-inf", "-infinity" -> (Double) Double.NEGATIVE_INFINITY;
            case "nan", "+nan", "-nan" -> (Double) Double.NaN;
            default -> {
                boolean number = chars.length() <= MAX_DIGITS && REAL.matcher(chars).matches() && !LOOSE_UNDERSCORE.matcher(chars).find();
                yield number ? (Double) Double.parseDouble(chars.replace("_", "")) : null;
            }
        };
    }

    private static Value round(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("round", 0, "precision", "method");
        int precision = bound[0] == null ? 0 : Values.index(bound[0], "precision");
        String method = bound[1] == null ? "common" : bound[1] instanceof Text text ? text.chars() : "";
        if (!method.equals("common") && !method.equals("ceil") && !method.equals("floor")) {
            throw TemplateException.runtime("method must be common, ceil or floor");
        }
        if (Math.abs((long) precision) > 400) {
            throw TemplateException.runtime("too large a precision to round to: " + precision);
        }
        BigInteger whole = Values.asInteger(Values.defined(target));
        if (!method.equals("common")) {
            Value factor = Arithmetic.of("**", Value.Int.of(10), Value.Int.of(precision));
            Double scaled = Values.asReal(Arithmetic.of("*", target, factor));
            double edge = scaled == null ? 0 : method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled);
            return Arithmetic.of("/", Operators.integer(Values.integer(finite(edge))), factor);
        }
        if (whole != null) {
            return Operators.integer(new BigDecimal(whole).setScale(precision < 0 ? precision : 0, RoundingMode.HALF_EVEN).toBigInteger());
        }
        if (!(target instanceof Value.Real(double real))) {
            throw TemplateException.runtime("type " + Values.typeName(target) + " cannot be rounded");
        }
        return !Double.isFinite(real) || real == 0 ? target
                : new Value.Real(Math.copySign(new BigDecimal(real).setScale(precision, RoundingMode.HALF_EVEN).doubleValue(), real));
    }

    private static double finite(double value) {
        if (!Double.isFinite(value)) {
            throw TemplateException.runtime("cannot convert float infinity to integer");
        }
        return value;
    }

    private static Value sum(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("sum", 0, "attribute", "start");
        Value sum = bound[1] == null ? Value.Int.of(0) : bound[1];
        if (sum instanceof Text) {
            throw TemplateException.runtime("sum() can't sum strings");
        }
        for (Value item : Values.iterate(target, runtime.budget())) {
            Value added = bound[0] == null || bound[0] instanceof Value.None ? item : Access.path(item, bound[0], runtime);
            sum = Operators.add(sum, added, runtime.budget());
        }
        return sum;
    }
}
