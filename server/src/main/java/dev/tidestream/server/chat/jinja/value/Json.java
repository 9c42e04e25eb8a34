package dev.tidestream.server.chat.jinja.value;

import java.util.ArrayList;
import java.util.Comparator;
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

/** Python's {@code json.dumps}, as the filter {@code tojson} of transformers calls it: no escapes for HTML. One thread. */
public final class Json {

    /**
     * How it is written.
     *
     * @param ascii whether everything but ASCII is escaped
     * @param indent what one level is indented by, or null for one line
     * @param itemSeparator between elements
     * @param keySeparator between key and value
     * @param sorted whether keys are sorted
     */
    public record Style(boolean ascii, @Nullable String indent, Text itemSeparator, Text keySeparator, boolean sorted) {}

    private final Style style;
    private final Budget budget;
    private final TextBuilder out;

    private Json(Style style, Budget budget) {
        this.style = style;
        this.budget = budget;
        this.out = new TextBuilder(budget);
    }

    /** The JSON of this value. */
    public static Text write(Value value, Style style, Budget budget) {
        Json json = new Json(style, budget);
        json.value(value, 0);
        return json.out.build();
    }

    private void value(Value value, int depth) {
        budget.valueDepth(depth);
        switch (value) {
            case None _ -> out.append("null");
            case Bool bool -> out.append(bool == Bool.TRUE ? "true" : "false");
            case Int(var number) -> out.append(number.toString());
            case Real(double number) -> out.append(real(number));
            case Text text -> string(text);
            case Sequence sequence when sequence.kind() == Sequence.Kind.LIST || sequence.kind() == Sequence.Kind.TUPLE ->
                list(sequence.items(), depth);
            case Dict dict -> dict(dict, depth);
            case Undefined _, Sequence _, Lazy _, Instance _ ->
                throw TemplateException.runtime("Object of type " + Values.typeName(value) + " is not JSON serializable");
        }
    }

    private static String real(double number) {
        return Double.isNaN(number) ? "NaN" : Double.isInfinite(number) ? number > 0 ? "Infinity" : "-Infinity" : Printing.real(number);
    }

    private void list(List<Value> items, int depth) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append("[");
        boolean first = true;
        for (Value item : items) {
            separate(first, depth + 1);
            first = false;
            value(item, depth + 1);
        }
        newline(depth);
        out.append("]");
    }

    private void dict(Dict dict, int depth) {
        if (dict.size() == 0) {
            out.append("{}");
            return;
        }
        List<Dict.Entry> entries = new ArrayList<>(dict.entries());
        if (style.sorted()) {
            entries.sort(Comparator.comparing(Dict.Entry::key, (a, b) -> Operators.compare(a, b, budget)));
        }
        out.append("{");
        boolean first = true;
        for (Dict.Entry entry : entries) {
            separate(first, depth + 1);
            first = false;
            key(entry.key());
            out.append(style.keySeparator());
            value(entry.value(), depth + 1);
        }
        newline(depth);
        out.append("}");
    }

    private void separate(boolean first, int depth) {
        if (!first) {
            out.append(style.itemSeparator());
        }
        newline(depth);
    }

    private void newline(int depth) {
        if (style.indent() != null) {
            out.append("\n");
            for (int i = 0; i < depth; i++) {
                out.append(style.indent());
            }
        }
    }

    private void key(Value key) {
        switch (key) {
            case Text text -> string(text);
            case None _, Bool _, Int _, Real _ -> {
                out.append("\"");
                value(key, 0);
                out.append("\"");
            }
            case Undefined _, Sequence _, Dict _, Lazy _, Instance _ ->
                throw TemplateException.runtime("keys must be str, int, float, bool or None, not " + Values.typeName(key));
        }
    }

    private void string(Text text) {
        String chars = text.chars();
        out.append("\"");
        int plain = 0;
        for (int i = 0; i < chars.length(); i++) {
            String escape = escape(chars.charAt(i));
            if (escape != null) {
                out.append(text, plain, i).append(escape, text.isForeign(i));
                plain = i + 1;
            }
        }
        out.append(text, plain, chars.length()).append("\"");
    }

    private @Nullable String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c < ' ' || (style.ascii() && c > '~') ? ascii(c) : null;
        };
    }

    private static String ascii(char c) {
        return String.format("\\u%04x", (int) c);
    }
}
