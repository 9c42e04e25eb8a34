package dev.tidestream.server.chat.jinja.value;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** What can be done with a text, as Python's {@code str} does it; foreign characters stay foreign. Counts are of code points. */
public final class Texts {

    private Texts() {}

    /** What {@code str.isspace} and {@code \s} call white space. */
    public static boolean isSpace(int c) {
        return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f) || c == 0x85 || Character.isSpaceChar(c);
    }

    /** Without what {@code chars} has (white space if null), at one end or both. */
    public static Text strip(Text text, @Nullable String chars, boolean left, boolean right) {
        IntPredicate gone = chars == null ? Texts::isSpace : c -> chars.indexOf(c) >= 0;
        String all = text.chars();
        int start = 0;
        int end = all.length();
        while (left && start < end && gone.test(all.codePointAt(start))) {
            start += Character.charCount(all.codePointAt(start));
        }
        while (right && end > start && gone.test(all.codePointBefore(end))) {
            end -= Character.charCount(all.codePointBefore(end));
        }
        return text.sub(start, end);
    }

    /** Parts between separators (runs of white space if null), cut at most {@code max} times; all of them if that is negative. */
    public static List<Value> split(Text text, @Nullable String separator, int max, Budget budget) {
        budget.charge(text.length());
        if (separator != null && separator.isEmpty()) {
            throw TemplateException.runtime("empty separator");
        }
        return separator == null ? words(text, max) : split(text, separator, max);
    }

    private static List<Value> split(Text text, String separator, int max) {
        List<Value> parts = new ArrayList<>();
        int start = 0;
        for (int at = Search.indexOf(text.chars(), separator, 0); at >= 0 && parts.size() != max; at = Search.indexOf(text.chars(), separator, start)) {
            parts.add(text.sub(start, at));
            start = at + separator.length();
        }
        parts.add(text.sub(start, text.length()));
        return parts;
    }

    private static List<Value> words(Text text, int max) {
        List<Value> parts = new ArrayList<>();
        Text rest = strip(text, null, true, false);
        while (!rest.isEmpty()) {
            if (parts.size() == max) {
                parts.add(rest);
                return parts;
            }
            int end = 0;
            while (end < rest.length() && !isSpace(rest.chars().charAt(end))) {
                end++;
            }
            parts.add(rest.sub(0, end));
            int next = end;
            while (next < rest.length() && isSpace(rest.chars().charAt(next))) {
                next++;
            }
            rest = rest.sub(next, rest.length());
        }
        return parts;
    }

    /** As {@link #split} from the right. */
    public static List<Value> splitRight(Text text, @Nullable String separator, int max, Budget budget) {
        budget.charge(text.length());
        if (max < 0) {
            return split(text, separator, max, budget);
        }
        if (separator != null && separator.isEmpty()) {
            throw TemplateException.runtime("empty separator");
        }
        budget.charge(separator == null ? 0 : Search.backwards(text.chars(), separator));
        List<Value> parts = new ArrayList<>();
        Text rest = separator == null ? strip(text, null, false, true) : text;
        while (parts.size() < max) {
            int at = separator == null ? lastSpace(rest) : rest.chars().lastIndexOf(separator);
            if (at < 0) {
                break;
            }
            int next = at + (separator == null ? 1 : separator.length());
            parts.addFirst(rest.sub(next, rest.length()));
            rest = separator == null ? strip(rest.sub(0, at), null, false, true) : rest.sub(0, at);
        }
        if (separator != null || !rest.isEmpty()) {
            parts.addFirst(rest);
        }
        return parts;
    }

    private static int lastSpace(Text text) {
        int at = text.length() - 1;
        while (at >= 0 && !isSpace(text.chars().charAt(at))) {
            at--;
        }
        return at;
    }

    /** Lines without their ends, or with them. */
    public static List<Value> lines(Text text, boolean keepEnds, Budget budget) {
        budget.charge(text.length());
        List<Value> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.chars().charAt(i);
            if (!((c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029)) {
                continue;
            }
            int end = i;
            if (c == '\r' && i + 1 < text.length() && text.chars().charAt(i + 1) == '\n') {
                i++;
            }
            lines.add(text.sub(start, keepEnds ? i + 1 : end));
            start = i + 1;
        }
        if (start < text.length()) {
            lines.add(text.sub(start, text.length()));
        }
        return lines;
    }

    /** With the first {@code max} places (all if negative) where {@code old} stands replaced; an empty one stands everywhere. */
    public static Text replace(Text text, String old, Text with, int max, Budget budget) {
        budget.charge(text.length());
        TextBuilder out = new TextBuilder(budget);
        int start = 0;
        int count = 0;
        if (old.isEmpty()) {
            while (count != max) {
                out.append(with);
                count++;
                if (start == text.length()) {
                    break;
                }
                int end = start + Character.charCount(text.chars().codePointAt(start));
                out.append(text, start, end);
                start = end;
            }
            return out.append(text, start, text.length()).build(text.safe());
        }
        for (int at = Search.indexOf(text.chars(), old, 0); at >= 0 && count != max; at = Search.indexOf(text.chars(), old, start)) {
            out.append(text, start, at).append(with);
            start = at + old.length();
            count++;
        }
        return count == 0 ? text : out.append(text, start, text.length()).build(text.safe());
    }

    /** All of them with a separator between. */
    public static Text join(Text separator, List<? extends Value> parts, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        boolean first = true;
        for (Value part : parts) {
            if (!first) {
                out.append(separator);
            }
            first = false;
            Printing.print(part, out, budget);
        }
        return out.build();
    }

    /** With {@code & < > ' "} as HTML entities, and so markup; markup stays as it is. */
    public static Text escape(Text text, Budget budget) {
        if (text.safe()) {
            return text;
        }
        TextBuilder out = new TextBuilder(budget);
        int plain = 0;
        for (int i = 0; i < text.length(); i++) {
            String entity = switch (text.chars().charAt(i)) {
                case '&' -> "&amp;";
                case '<' -> "&lt;";
                case '>' -> "&gt;";
                case '\'' -> "&#39;";
                case '"' -> "&#34;";
                default -> null;
            };
            if (entity != null) {
                out.append(text, plain, i).append(entity, text.isForeign(i));
                plain = i + 1;
            }
        }
        return out.append(text, plain, text.length()).build(true);
    }

    // Case. Upper and lower case of a text are those of its characters, but for a sigma at the end of a word.

    public static Text upper(Text text, Budget budget) {
        return map(text, budget, (out, c, _) -> out.append(Character.toString(c).toUpperCase(Locale.ROOT)));
    }

    public static Text lower(Text text, Budget budget) {
        String lower = text.chars().toLowerCase(Locale.ROOT);
        boolean aligned = lower.length() == text.length();
        return map(text, budget, (out, c, at) -> {
            int size = Character.charCount(c);
            out.append(aligned ? lower.substring(at, at + size) : Character.toString(c).toLowerCase(Locale.ROOT));
        });
    }

    /** The first character in upper case, all others in lower case. */
    public static Text capitalize(Text text, Budget budget) {
        if (text.isEmpty()) {
            return text;
        }
        int end = text.offset(1);
        return new TextBuilder(budget).append(titleCase(text.sub(0, end), budget)).append(lower(text.sub(end, text.length()), budget))
                .build(text.safe());
    }

    private static Text titleCase(Text text, Budget budget) {
        return map(text, budget, (out, c, _) -> {
            int title = Character.toTitleCase(c);
            out.append(title == c ? titleOf(c) : Character.toString(title));
        });
    }

    /** Some letters become several, as ß: the first of them alone stays in upper case. */
    private static String titleOf(int c) {
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        int first = upper.offsetByCodePoints(0, 1);
        return upper.length() == first || Character.isUpperCase(c) || Character.isTitleCase(c) ? Character.toString(c)
                : upper.substring(0, first) + upper.substring(first).toLowerCase(Locale.ROOT);
    }

    /** {@code str.title}: a letter after what is no letter in upper case, all others in lower case. */
    public static Text title(Text text, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        boolean within = false;
        for (int i = 0; i < text.length();) {
            int c = text.chars().codePointAt(i);
            int end = i + Character.charCount(c);
            Text one = text.sub(i, end);
            out.append(within ? lower(one, budget) : titleCase(one, budget));
            within = cased(c);
            i = end;
        }
        return out.build(text.safe());
    }

    public static Text swapCase(Text text, Budget budget) {
        return map(text, budget, (out, c, _) -> {
            String one = Character.toString(c);
            out.append(Character.isUpperCase(c) ? one.toLowerCase(Locale.ROOT) : one.toUpperCase(Locale.ROOT));
        });
    }

    static boolean cased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    /** Writes what one code point becomes. */
    private interface Mapping {
        void apply(StringBuilder out, int codePoint, int at);
    }

    private static Text map(Text text, Budget budget, Mapping mapping) {
        TextBuilder out = new TextBuilder(budget);
        StringBuilder one = new StringBuilder();
        for (int i = 0; i < text.length();) {
            int c = text.chars().codePointAt(i);
            one.setLength(0);
            mapping.apply(one, c, i);
            out.append(one.toString(), text.isForeign(i));
            i += Character.charCount(c);
        }
        return out.build(text.safe());
    }

    /** Padded to this width; {@code left} is how much of what is missing, from 0 to {@code missing}, stands before it. */
    public static Text pad(Text text, int width, Text fill, IntUnaryOperator left, Budget budget) {
        int missing = Math.max(0, width - text.codePoints());
        TextBuilder out = new TextBuilder(budget);
        int before = left.applyAsInt(missing);
        for (int i = 0; i < before; i++) {
            out.append(fill);
        }
        out.append(text);
        for (int i = before; i < missing; i++) {
            out.append(fill);
        }
        return out.build(text.safe());
    }
}
