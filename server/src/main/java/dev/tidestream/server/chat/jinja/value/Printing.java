package dev.tidestream.server.chat.jinja.value;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Collection;
import java.util.List;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Value.Bool;
import dev.tidestream.server.chat.jinja.value.Value.Instance;
import dev.tidestream.server.chat.jinja.value.Value.Int;
import dev.tidestream.server.chat.jinja.value.Value.None;
import dev.tidestream.server.chat.jinja.value.Value.Real;
import dev.tidestream.server.chat.jinja.value.Value.Undefined;

/** Python's {@code str} and {@code repr}. */
public final class Printing {

    private Printing() {}

    /** {@code str(value)}; a text is itself, markup included (Jinja's {@code soft_str}). */
    public static Text text(Value value, Budget budget) {
        if (value instanceof Text text) {
            return text;
        }
        TextBuilder out = new TextBuilder(budget);
        print(value, out, budget);
        return out.build();
    }

    /** Prints {@code str(value)}. */
    public static void print(Value value, TextBuilder out, Budget budget) {
        switch (value) {
            case Text text -> out.append(text);
            case Undefined _ -> { }
            case None _, Bool _, Int _, Real _, Sequence _, Lazy _, Dict _, Instance _ -> repr(value, out, budget, 0);
        }
    }

    /** {@code repr(value)}. */
    public static Text repr(Value value, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        repr(value, out, budget, 0);
        return out.build();
    }

    private static void repr(Value value, TextBuilder out, Budget budget, int depth) {
        budget.valueDepth(depth);
        switch (value) {
            case None _ -> out.append("None");
            case Bool bool -> out.append(bool == Bool.TRUE ? "True" : "False");
            case Int(var number) -> out.append(number.toString());
            case Real(double number) -> out.append(real(number));
            case Undefined _ -> out.append("Undefined");
            case Text text -> quoted(text, out);
            case Sequence sequence -> sequence(sequence, out, budget, depth);
            case Dict dict -> dict(dict, out, budget, depth);
            case Namespace namespace -> {
                out.append("<Namespace ");
                dict(namespace.values(), out, budget, depth);
                out.append(">");
            }
            case Lazy _, Instance _ ->
                throw TemplateException.runtime("a " + Values.typeName(value) + " has no text of its own: Python prints its address");
        }
    }

    private static void sequence(Sequence sequence, TextBuilder out, Budget budget, int depth) {
        List<Value> items = sequence.items();
        switch (sequence.kind()) {
            case LIST -> elements("[", items, "]", out, budget, depth);
            case TUPLE, GROUP -> elements("(", items, items.size() == 1 ? ",)" : ")", out, budget, depth);
            case RANGE -> range(items, out);
            case KEYS, VALUES, ITEMS -> elements(sequence.kind().typeName() + "([", items, "])", out, budget, depth);
        }
    }

    /** An empty range is printed as {@code range(0, 0)}: which one it was is not kept. */
    private static void range(List<Value> items, TextBuilder out) {
        if (items.isEmpty()) {
            out.append("range(0, 0)");
            return;
        }
        long first = whole(items.getFirst());
        long step = items.size() == 1 ? 1 : whole(items.get(1)) - first;
        out.append("range(" + first + ", " + (whole(items.getLast()) + step) + (step == 1 ? "" : ", " + step) + ")");
    }

    private static long whole(Value value) {
        return value instanceof Int(var number) ? number.longValue() : 0;
    }

    private static void elements(String open, Collection<Value> items, String close, TextBuilder out, Budget budget, int depth) {
        out.append(open);
        String separator = "";
        for (Value item : items) {
            out.append(separator);
            repr(item, out, budget, depth + 1);
            separator = ", ";
        }
        out.append(close);
    }

    private static void dict(Dict dict, TextBuilder out, Budget budget, int depth) {
        out.append("{");
        String separator = "";
        for (Dict.Entry entry : dict.entries()) {
            out.append(separator);
            repr(entry.key(), out, budget, depth + 1);
            out.append(": ");
            repr(entry.value(), out, budget, depth + 1);
            separator = ", ";
        }
        out.append("}");
    }

    /** In single quotes, or in double ones if it has single ones only. */
    private static void quoted(Text text, TextBuilder out) {
        String chars = text.chars();
        char quote = chars.indexOf('\'') >= 0 && chars.indexOf('"') < 0 ? '"' : '\'';
        out.append(text.safe() ? "Markup(" + quote : String.valueOf(quote));
        for (int i = 0; i < chars.length();) {
            int c = chars.codePointAt(i);
            out.append(switch (c) {
                case '\n' -> "\\n";
                case '\r' -> "\\r";
                case '\t' -> "\\t";
                case '\\' -> "\\\\";
                case '\'', '"' -> c == quote ? "\\" + quote : Character.toString(c);
                default -> printable(c) ? Character.toString(c) : escape(c);
            }, text.isForeign(i));
            i += Character.charCount(c);
        }
        out.append(text.safe() ? quote + ")" : String.valueOf(quote));
    }

    private static String escape(int c) {
        return c < 0x100 ? String.format("\\x%02x", c) : c < 0x10000 ? String.format("\\u%04x", c) : String.format("\\U%08x", c);
    }

    static boolean printable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /** The shortest decimal that is this number; with an exponent below 1e-4 and from 1e16 on. */
    public static String real(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(Math.abs(number))).stripTrailingZeros();
        if (decimal.precision() == 2) { // Java writes two digits at least, where one may do: 4.9E-324
            BigDecimal one = decimal.round(new MathContext(1));
            decimal = one.doubleValue() == Math.abs(number) ? one.stripTrailingZeros() : decimal;
        }
        String digits = decimal.unscaledValue().toString();
        int exponent = digits.length() - 1 - decimal.scale(); // of the first digit
        String sign = number < 0 ? "-" : "";
        if (exponent < -4 || exponent >= 16) {
            String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
            int size = Math.abs(exponent);
            return sign + digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + size;
        }
        String plain = decimal.toPlainString();
        return sign + plain + (plain.indexOf('.') < 0 ? ".0" : "");
    }
}
