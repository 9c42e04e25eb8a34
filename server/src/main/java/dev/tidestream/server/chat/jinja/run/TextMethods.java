package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.BraceFormat;
import dev.tidestream.server.chat.jinja.value.Search;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.TextBuilder;
import dev.tidestream.server.chat.jinja.value.Texts;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Methods of a text: those of Python's {@code str} that make sense in a template. One call, one thread. */
final class TextMethods {
    private static final Set<String> NAMES = Set.of(
            "capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "index", "isalnum", "isalpha", "isascii",
            "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "ljust", "lower",
            "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
            "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill");

    private final Text text;
    private final String name;
    private final Arguments arguments;
    private final Budget budget;

    private TextMethods(Text text, String name, Arguments arguments, Budget budget) {
        this.text = text;
        this.name = name;
        this.arguments = arguments;
        this.budget = budget;
    }

    /** A method, or null if there is none of this name. */
    static @Nullable Value find(Text text, String name, Rendering runtime) {
        return NAMES.contains(name) ? new BuiltIn("method", arguments -> new TextMethods(text, name, arguments, runtime.budget()).call()) : null;
    }

    private Value call() {
        budget.charge(text.length());
        return switch (name) {
            case "strip" -> strip(true, true);
            case "lstrip" -> strip(true, false);
            case "rstrip" -> strip(false, true);
            case "split", "rsplit" -> split();
            case "splitlines" -> lines();
            case "partition", "rpartition" -> partition();
            case "join" -> join();
            case "format" -> BraceFormat.format(text, arguments, budget);
            case "replace" -> replace();
            case "removeprefix" -> without(true);
            case "removesuffix" -> without(false);
            case "startswith", "endswith" -> Value.Bool.of(begins());
            case "find", "rfind", "index", "rindex" -> place();
            case "count" -> count();
            case "center", "ljust", "rjust" -> justify();
            case "zfill" -> zeros();
            case "expandtabs" -> expandTabs();
            default -> plain();
        };
    }

    /** Methods that take nothing. */
    private Value plain() {
        arguments.bind(name, 0);
        String chars = text.chars();
        return switch (name) {
            case "capitalize" -> Texts.capitalize(text, budget);
            case "casefold", "lower" -> Texts.lower(text, budget);
            case "upper" -> Texts.upper(text, budget);
            case "title" -> Texts.title(text, budget);
            case "swapcase" -> Texts.swapCase(text, budget);
            case "isalnum" -> Value.Bool.of(TextTests.isAlphanumeric(chars));
            case "isalpha" -> Value.Bool.of(TextTests.isAlpha(chars));
            case "isascii" -> Value.Bool.of(TextTests.isAscii(chars));
            case "isdecimal" -> Value.Bool.of(TextTests.isDecimal(chars));
            case "isdigit" -> Value.Bool.of(TextTests.isDigit(chars));
            case "isidentifier" -> Value.Bool.of(TextTests.isIdentifier(chars));
            case "islower" -> Value.Bool.of(TextTests.isLower(chars));
            case "isnumeric" -> Value.Bool.of(TextTests.isNumeric(chars));
            case "isspace" -> Value.Bool.of(TextTests.isSpace(chars));
            case "istitle" -> Value.Bool.of(TextTests.isTitle(chars));
            case "isupper" -> Value.Bool.of(TextTests.isUpper(chars));
            default -> throw new IllegalStateException("a method without a body: " + name);
        };
    }

    private Text string(@Nullable Value value) {
        if (value instanceof Text string) {
            return string;
        }
        throw TemplateException.runtime(name + " needs a str, not " + (value == null ? "nothing" : Values.typeName(value)));
    }

    private static boolean absent(@Nullable Value value) {
        return value == null || value instanceof Value.None;
    }

    private Value strip(boolean left, boolean right) {
        Value chars = arguments.bind(name, 0, "chars")[0];
        return Texts.strip(text, absent(chars) ? null : string(chars).chars(), left, right);
    }

    private Value split() {
        @Nullable Value[] bound = arguments.bind(name, 0, "sep", "maxsplit");
        String separator = absent(bound[0]) ? null : string(bound[0]).chars();
        int max = bound[1] == null ? -1 : Values.index(bound[1], "maxsplit");
        return Sequence.list(name.equals("split") ? Texts.split(text, separator, max, budget) : Texts.splitRight(text, separator, max, budget));
    }

    private Value lines() {
        Value keep = arguments.bind(name, 0, "keepends")[0];
        return Sequence.list(Texts.lines(text, keep != null && Values.truth(keep), budget));
    }

    private Value partition() {
        Text separator = string(arguments.bind(name, 1, "sep")[0]);
        boolean left = name.equals("partition");
        List<Value> parts = left ? Texts.split(text, separator.chars(), 1, budget) : Texts.splitRight(text, separator.chars(), 1, budget);
        if (parts.size() == 2) {
            return Sequence.tuple(parts.get(0), separator, parts.get(1));
        }
        return left ? Sequence.tuple(text, Text.EMPTY, Text.EMPTY) : Sequence.tuple(Text.EMPTY, Text.EMPTY, text);
    }

    private Value join() {
        List<Value> parts = new ArrayList<>();
        for (Value part : Values.iterate(arguments.bind(name, 1, "iterable")[0], budget)) {
            if (!(part instanceof Text one)) {
                throw TemplateException.runtime("sequence item " + parts.size() + ": expected str instance, " + Values.typeName(part) + " found");
            }
            parts.add(text.safe() ? Texts.escape(one, budget) : one);
        }
        return Texts.join(text, parts, budget).safe(text.safe());
    }

    private Value replace() {
        @Nullable Value[] bound = arguments.bind(name, 2, "old", "new", "count");
        Text with = string(bound[1]);
        return Texts.replace(text, string(bound[0]).chars(), text.safe() ? Texts.escape(with, budget) : with,
                bound[2] == null ? -1 : Values.index(bound[2], "count"), budget);
    }

    private Value without(boolean prefix) {
        String affix = string(arguments.bind(name, 1, "affix")[0]).chars();
        if (prefix) {
            return text.chars().startsWith(affix) ? text.sub(affix.length(), text.length()) : text;
        }
        return text.chars().endsWith(affix) ? text.sub(0, text.length() - affix.length()) : text;
    }

    private boolean begins() {
        @Nullable Value[] bound = arguments.bind(name, 1, "affix", "start", "end");
        int[] range = range(bound[1], bound[2]);
        List<Value> affixes = bound[0] instanceof Sequence tuple && tuple.kind() == Sequence.Kind.TUPLE ? tuple.items() : List.of(string(bound[0]));
        if (range[0] > range[1]) {
            return false;
        }
        String part = text.chars().substring(range[0], range[1]);
        boolean found = false;
        for (Value affix : affixes) {
            String chars = string(affix).chars();
            found |= name.equals("startswith") ? part.startsWith(chars) : part.endsWith(chars);
        }
        return found;
    }

    /** From and to, in code units. */
    private int[] range(@Nullable Value from, @Nullable Value to) {
        int size = text.codePoints();
        int start = from == null || absent(from) ? 0 : bound(from, size);
        int end = to == null || absent(to) ? size : bound(to, size);
        return start > size ? new int[] {1, 0} : new int[] {text.offset(start), text.offset(Math.min(end, size))};
    }

    private static int bound(Value value, int size) {
        int at = Values.index(value, "a bound");
        return at < 0 ? Math.max(0, at + size) : at;
    }

    private Value place() {
        @Nullable Value[] bound = arguments.bind(name, 1, "sub", "start", "end");
        String part = string(bound[0]).chars();
        int[] range = range(bound[1], bound[2]);
        int at = -1;
        if (range[0] <= range[1]) {
            String within = text.chars().substring(range[0], range[1]);
            boolean last = name.startsWith("r");
            budget.charge(last ? Search.backwards(within, part) : 0);
            at = last ? within.lastIndexOf(part) : Search.indexOf(within, part, 0);
        }
        if (at < 0 && name.endsWith("index")) {
            throw TemplateException.runtime("substring not found");
        }
        return Value.Int.of(at < 0 ? -1 : text.chars().codePointCount(0, range[0] + at));
    }

    private Value count() {
        @Nullable Value[] bound = arguments.bind(name, 1, "sub", "start", "end");
        String part = string(bound[0]).chars();
        int[] range = range(bound[1], bound[2]);
        if (range[0] > range[1]) {
            return Value.Int.of(0);
        }
        Text within = text.sub(range[0], range[1]);
        return Value.Int.of(part.isEmpty() ? within.codePoints() + 1 : Texts.split(within, part, -1, budget).size() - 1);
    }

    private Value justify() {
        @Nullable Value[] bound = arguments.bind(name, 1, "width", "fillchar");
        Text fill = bound[1] == null ? Text.of(" ") : string(bound[1]);
        if (fill.codePoints() != 1) {
            throw TemplateException.runtime("The fill character must be exactly one character long");
        }
        return justify(text, name, bound[0] == null ? 0 : Values.index(bound[0], "width"), fill, budget);
    }

    /** In the middle of a field, or at its left or right end. */
    static Text justify(Text text, String name, int width, Text fill, Budget budget) {
        return Texts.pad(text, width, fill, missing -> switch (name) {
            case "ljust" -> 0;
            case "rjust" -> missing;
            default -> missing / 2 + (missing & width & 1);
        }, budget);
    }

    private Value zeros() {
        Value width = arguments.bind(name, 1, "width")[0];
        boolean sign = text.chars().startsWith("-") || text.chars().startsWith("+");
        int split = sign ? 1 : 0;
        int left = (width == null ? 0 : Values.index(width, "width")) - split;
        Text digits = Texts.pad(text.sub(split, text.length()), left, Text.of("0"), missing -> missing, budget);
        return new TextBuilder(budget).append(text, 0, split).append(digits).build(text.safe());
    }

    private Value expandTabs() {
        Value size = arguments.bind(name, 0, "tabsize")[0];
        int tab = size == null ? 8 : Values.index(size, "tabsize");
        TextBuilder out = new TextBuilder(budget);
        int column = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.chars().charAt(i);
            if (c == '\t') {
                int blanks = tab > 0 ? tab - column % tab : 0;
                out.append(Texts.pad(Text.EMPTY, blanks, Text.of(" "), _ -> 0, budget));
                column += blanks;
            } else {
                out.append(text, i, i + 1);
                column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
            }
        }
        return out.build(text.safe());
    }

}
