package dev.tidestream.server.chat.jinja.value;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** {@code 'text %s' % values}. One use, one thread. */
public final class PercentFormat {
    private static final Pattern FIELD =
            Pattern.compile("%(?:\\(([^)]*)\\))?([-+ #0]*)(\\*|\\d{0,6})(?:\\.(\\*|\\d{0,4}))?[hlL]?(.)?", Pattern.DOTALL);

    private final Text format;
    private final Value values;
    private final Budget budget;
    private int next;

    private PercentFormat(Text format, Value values, Budget budget) {
        this.format = format;
        this.values = values;
        this.budget = budget;
    }

    /** Puts a value, the elements of a tuple, or values of a dict by name into the text. */
    static Text format(Text format, Value values, Budget budget) {
        return new PercentFormat(format, values, budget).run();
    }

    private Text run() {
        TextBuilder out = new TextBuilder(budget);
        Matcher field = FIELD.matcher(format.chars());
        int start = 0;
        boolean named = false;
        while (field.find(start)) {
            out.append(format, start, field.start());
            start = field.end();
            if (field.group(5) == null) {
                throw TemplateException.runtime("incomplete format");
            }
            if (field.group(5).equals("%")) {
                out.append("%");
            } else {
                named |= field.group(1) != null;
                out.append(value(field));
            }
        }
        int given = values instanceof Sequence tuple && tuple.kind() == Sequence.Kind.TUPLE ? tuple.items().size() : 1;
        boolean container = values instanceof Dict || (values instanceof Sequence list && list.kind() != Sequence.Kind.TUPLE);
        if (!named && next < given && !(next == 0 && container)) {
            throw TemplateException.runtime("not all arguments converted during string formatting");
        }
        return out.append(format, start, format.length()).build(format.safe());
    }

    private Text value(Matcher field) {
        String flags = field.group(2);
        int width = number(field.group(3), 0);
        boolean left = flags.contains("-") || width < 0;
        int precision = number(field.group(4), -1);
        Value value = field.group(1) != null ? byName(field.group(1)) : next();
        char type = field.group(5).charAt(0);
        char sign = flags.contains("+") ? '+' : flags.contains(" ") ? ' ' : '-';
        boolean zero = flags.contains("0") && !left;
        char align = left ? '<' : zero ? '=' : '>';
        String fill = zero ? "0" : " ";
        return switch (type) {
            case 's' -> new FormatSpec(" ", left ? '<' : '>', '-', false, Math.abs(width), "", precision, 's').format(text(value), budget);
            case 'r', 'a' ->
                new FormatSpec(" ", left ? '<' : '>', '-', false, Math.abs(width), "", precision, 's').format(Printing.repr(value, budget), budget);
            case 'd', 'i', 'u' -> new FormatSpec(fill, align, sign, false, Math.abs(width), "", -1, 'd').format(integer(value), budget);
            case 'x', 'X', 'o' ->
                new FormatSpec(fill, align, sign, flags.contains("#"), Math.abs(width), "", -1, type).format(integer(value), budget);
            case 'e', 'E', 'f', 'F', 'g', 'G' ->
                new FormatSpec(fill, align, sign, false, Math.abs(width), "", precision, type).format(real(value), budget);
            case 'c' -> value instanceof Text text && text.codePoints() == 1 ? text
                    : new FormatSpec(" ", align, '-', false, Math.abs(width), "", -1, 'c').format(integer(value), budget);
            default -> throw TemplateException.runtime("unsupported format character '" + type + "'");
        };
    }

    private Text text(Value value) {
        Text text = Printing.text(value, budget);
        return format.safe() ? Texts.escape(text, budget) : text.safe(false);
    }

    private int number(@Nullable String digits, int otherwise) {
        if (digits == null) {
            return otherwise;
        }
        return digits.equals("*") ? Math.clamp(Values.index(next(), "* in a format"), -100_000, 100_000)
                : digits.isEmpty() ? 0 : Integer.parseInt(digits);
    }

    private Value byName(String name) {
        Value value = values instanceof Dict dict ? dict.get(name) : null;
        if (value == null) {
            throw TemplateException.runtime(values instanceof Dict ? "no value for the field '" + name + "'" : "format requires a mapping");
        }
        return value;
    }

    private Value next() {
        List<Value> all = values instanceof Sequence tuple && tuple.kind() == Sequence.Kind.TUPLE ? tuple.items() : List.of(values);
        if (next >= all.size()) {
            throw TemplateException.runtime("not enough arguments for format string");
        }
        return all.get(next++);
    }

    private static Value integer(Value value) {
        BigInteger integer = value instanceof Value.Real(double real) && Double.isFinite(real) ? Values.integer(real) : Values.asInteger(value);
        if (integer == null) {
            throw TemplateException.runtime("%d format: a real number is required, not " + Values.typeName(value));
        }
        return new Value.Int(integer);
    }

    private static Value real(Value value) {
        Double real = Values.asReal(value);
        if (real == null) {
            throw TemplateException.runtime("must be real number, not " + Values.typeName(value));
        }
        return new Value.Real(real);
    }
}
