package dev.tidestream.server.chat.jinja.run;

import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Json;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.TextBuilder;
import dev.tidestream.server.chat.jinja.value.Texts;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Filters of texts. Any value is printed first; what is undefined is an empty text. */
final class TextFilters {

    private TextFilters() {}

    /** A filter that takes nothing. */
    private interface Plain {
        Value apply(Text text, Budget budget);
    }

    static void addTo(Map<String, Filters.Filter> filters) {
        plain(filters, "upper", Texts::upper);
        plain(filters, "lower", Texts::lower);
        plain(filters, "capitalize", Texts::capitalize);
        plain(filters, "title", TextFilters::title);
        plain(filters, "string", (text, _) -> text);
        plain(filters, "safe", (text, _) -> text.safe(true));
        plain(filters, "escape", Texts::escape);
        plain(filters, "e", Texts::escape);
        plain(filters, "forceescape", (text, budget) -> Texts.escape(text.safe(false), budget));
        plain(filters, "wordcount", (text, _) -> wordCount(text));
        filters.put("trim", (target, arguments, runtime) -> {
            Value chars = arguments.bind("trim", 0, "chars")[0];
            return Texts.strip(text(target, runtime), chars == null || chars instanceof Value.None ? null : text(chars, runtime).chars(), true, true);
        });
        filters.put("center", (target, arguments, runtime) -> {
            Value width = arguments.bind("center", 0, "width")[0];
            return TextMethods.justify(
                    text(target, runtime), "center", width == null ? 80 : Values.index(width, "width"), Text.of(" "), runtime.budget());
        });
        filters.put("replace", TextFilters::replace);
        filters.put("indent", TextFilters::indent);
        filters.put("truncate", TextFilters::truncate);
        filters.put("format", TextFilters::format);
        filters.put("tojson", TextFilters::json);
    }

    private static void plain(Map<String, Filters.Filter> filters, String name, Plain filter) {
        filters.put(name, (target, arguments, runtime) -> {
            arguments.bind(name, 0);
            return filter.apply(text(target, runtime), runtime.budget());
        });
    }

    private static Text text(@Nullable Value value, Rendering runtime) {
        return value == null ? Text.EMPTY : Printing.text(value, runtime.budget());
    }

    private static boolean truth(@Nullable Value value) {
        return value != null && Values.truth(value);
    }

    /** Unlike the method: words begin after blanks, hyphens and opening brackets only. */
    private static Text title(Text text, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            boolean end = i == text.length();
            char c = end ? ' ' : text.chars().charAt(i);
            if (end || Texts.isSpace(c) || "-({[<".indexOf(c) >= 0) {
                if (start < i) {
                    int first = start + Character.charCount(text.chars().codePointAt(start));
                    out.append(Texts.upper(text.sub(start, first), budget)).append(Texts.lower(text.sub(first, i), budget));
                }
                out.append(text, i, end ? i : i + 1);
                start = i + 1;
            }
        }
        return out.build(text.safe());
    }

    private static Value wordCount(Text text) {
        int words = 0;
        boolean within = false;
        for (int c : text.chars().codePoints().toArray()) {
            boolean word = c == '_' || TextTests.isAlphanumeric(Character.toString(c));
            words += word && !within ? 1 : 0;
            within = word;
        }
        return Value.Int.of(words);
    }

    private static Value replace(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("replace", 2, "old", "new", "count");
        int count = bound[2] == null || bound[2] instanceof Value.None ? -1 : Values.index(bound[2], "count");
        return Texts.replace(text(target, runtime).safe(false), text(bound[0], runtime).chars(), text(bound[1], runtime), count, runtime.budget())
                .safe(false);
    }

    private static Value indent(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("indent", 0, "width", "first", "blank");
        Budget budget = runtime.budget();
        Value width = bound[0] == null ? Value.Int.of(4) : bound[0];
        Text blanks = width instanceof Text given ? given
                : Texts.pad(Text.EMPTY, Values.index(width, "width"), Text.of(" "), missing -> missing, budget);
        if (!(target instanceof Text) && !(target instanceof Value.Undefined)) {
            throw TemplateException.runtime("indent needs a str, not " + Values.typeName(target));
        }
        Text text = text(Values.defined(target), runtime);
        List<Value> lines = Texts.lines(new TextBuilder(budget).append(text).append("\n").build(), false, budget);
        TextBuilder out = new TextBuilder(budget);
        for (int i = 0; i < lines.size(); i++) {
            Text line = text(lines.get(i), runtime);
            out.append(i > 0 ? "\n" : "");
            if (i == 0 ? truth(bound[1]) : truth(bound[2]) || !line.isEmpty()) {
                out.append(blanks);
            }
            out.append(line);
        }
        return out.build(text.safe());
    }

    private static Value truncate(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("truncate", 0, "length", "killwords", "end", "leeway");
        Text text = text(target, runtime);
        int length = bound[0] == null ? 255 : Values.index(bound[0], "length");
        Text end = bound[2] == null ? Text.of("...") : text(bound[2], runtime);
        int leeway = bound[3] == null || bound[3] instanceof Value.None ? 5 : Values.index(bound[3], "leeway");
        if (length < end.codePoints() || leeway < 0) {
            throw TemplateException.runtime("expected length >= " + end.codePoints() + " and leeway >= 0, got " + length + " and " + leeway);
        }
        if (text.codePoints() <= (long) length + leeway) {
            return text;
        }
        Text kept = text.sub(0, text.offset(length - end.codePoints()));
        if (!truth(bound[1])) {
            int blank = kept.chars().lastIndexOf(' ');
            kept = blank < 0 ? kept : kept.sub(0, blank);
        }
        return new TextBuilder(runtime.budget()).append(kept).append(end).build(text.safe());
    }

    private static Value format(Value target, Arguments arguments, Rendering runtime) {
        Text format = text(target, runtime);
        if (arguments.named().isEmpty()) {
            return Operators.modulo(format, Sequence.tuple(arguments.positional().toArray(new Value[0])), runtime.budget());
        }
        if (!arguments.positional().isEmpty()) {
            throw TemplateException.runtime("can't handle positional and keyword arguments at the same time");
        }
        Dict named = new Dict();
        arguments.named().forEach((name, value) -> named.put(Text.of(name), value));
        return Operators.modulo(format, named, runtime.budget());
    }

    /** As transformers has it. */
    private static Value json(Value target, Arguments arguments, Rendering runtime) {
        @Nullable Value[] bound = arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys");
        String indent = bound[1] == null || bound[1] instanceof Value.None ? null
                : bound[1] instanceof Text text ? text.chars()
                : Texts.pad(Text.EMPTY, Values.index(bound[1], "indent"), Text.of(" "), missing -> missing, runtime.budget()).chars();
        Text item = Text.of(indent == null ? ", " : ",");
        Text key = Text.of(": ");
        if (bound[2] != null && !(bound[2] instanceof Value.None)) {
            List<Value> given = Values.iterate(bound[2], runtime.budget());
            if (given.size() != 2 || !(given.get(0) instanceof Text first) || !(given.get(1) instanceof Text second)) {
                throw TemplateException.runtime("separators must be two strings");
            }
            item = first;
            key = second;
        }
        return Json.write(target, new Json.Style(truth(bound[0]), indent, item, key, truth(bound[3])), runtime.budget());
    }
}
