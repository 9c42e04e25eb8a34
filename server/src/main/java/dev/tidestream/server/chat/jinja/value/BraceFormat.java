package dev.tidestream.server.chat.jinja.value;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** {@code 'text {} {name!r:>10}'.format(…)}. One use, one thread. */
public final class BraceFormat {
    private final Text format;
    private final Arguments arguments;
    private final Budget budget;
    private int next;
    private @Nullable Boolean automatic;

    private BraceFormat(Text format, Arguments arguments, Budget budget) {
        this.format = format;
        this.arguments = arguments;
        this.budget = budget;
    }

    /** Puts values into the text; fields may have attributes, keys, a conversion and a specification, which may have fields itself. */
    public static Text format(Text format, Arguments arguments, Budget budget) {
        return new BraceFormat(format, arguments, budget).run(format, 0);
    }

    private Text run(Text text, int depth) {
        String chars = text.chars();
        TextBuilder out = new TextBuilder(budget);
        for (int i = 0; i < chars.length();) {
            char c = chars.charAt(i);
            if (c != '{' && c != '}') {
                int end = i;
                while (end < chars.length() && chars.charAt(end) != '{' && chars.charAt(end) != '}') {
                    end++;
                }
                out.append(text, i, end);
                i = end;
            } else if (i + 1 < chars.length() && chars.charAt(i + 1) == c) {
                out.append(text, i, i + 1);
                i += 2;
            } else if (c == '}') {
                throw TemplateException.runtime("Single '}' encountered in format string");
            } else {
                int end = closing(chars, i + 1);
                out.append(field(text.sub(i + 1, end), depth));
                i = end + 1;
            }
        }
        return out.build(format.safe());
    }

    private static int closing(String chars, int start) {
        int open = 1;
        for (int i = start; i < chars.length(); i++) {
            open += chars.charAt(i) == '{' ? 1 : chars.charAt(i) == '}' ? -1 : 0;
            if (open == 0) {
                return i;
            }
        }
        throw TemplateException.runtime("expected '}' before end of string");
    }

    private Text field(Text field, int depth) {
        if (depth > 1) {
            throw TemplateException.runtime("Max string recursion exceeded");
        }
        String chars = field.chars();
        int colon = chars.indexOf(':');
        String head = colon < 0 ? chars : chars.substring(0, colon);
        int mark = head.indexOf('!');
        String conversion = mark < 0 ? "" : head.substring(mark + 1);
        Value value = lookup(mark < 0 ? head : head.substring(0, mark));
        String spec = colon < 0 ? "" : run(field.sub(colon + 1, field.length()), depth + 1).chars();
        Value converted = switch (conversion) {
            case "" -> {
                if (mark >= 0) {
                    throw TemplateException.runtime("end of string while looking for conversion specifier");
                }
                yield value;
            }
            case "s" -> Printing.text(value, budget);
            case "r", "a" -> Printing.repr(value, budget);
            default -> throw TemplateException.runtime("Unknown conversion specifier '" + conversion + "'");
        };
        if (!spec.isEmpty() && !(converted instanceof Text) && !Operators.isNumber(converted)) {
            throw TemplateException.runtime("unsupported format string passed to " + Values.typeName(converted));
        }
        Text text = spec.isEmpty() ? Printing.text(converted, budget) : FormatSpec.parse(spec).format(converted, budget);
        return format.safe() ? Texts.escape(text, budget) : text;
    }

    private Value lookup(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        Value value = first(path.substring(0, end));
        while (end < path.length()) {
            int start = end + 1;
            if (path.charAt(end) == '[') {
                end = path.indexOf(']', start);
                if (end < 0) {
                    throw TemplateException.runtime("Missing ']' in format string");
                }
                value = item(value, path.substring(start, end));
                end++;
            } else {
                end = start;
                while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
                    end++;
                }
                String name = path.substring(start, end);
                Value attribute = value instanceof Dict dict ? dict.get(name)
                        : value instanceof Value.Instance instance ? instance.attribute(name) : null;
                value = required(attribute, name);
            }
        }
        return value;
    }

    private Value first(String name) {
        boolean number = !name.isEmpty() && name.length() < 6 && name.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!name.isEmpty() && !number) {
            return required(arguments.named().get(name), name);
        }
        if (automatic != null && automatic == number) {
            throw TemplateException.runtime("cannot switch between automatic field numbering and manual field specification");
        }
        automatic = !number;
        int index = number ? Integer.parseInt(name) : next++;
        if (index >= arguments.positional().size()) {
            throw TemplateException.runtime("Replacement index " + index + " out of range for positional args tuple");
        }
        return arguments.positional().get(index);
    }

    private static Value item(Value value, String key) {
        if (value instanceof Dict dict) {
            return required(dict.get(key), key);
        }
        boolean number = !key.isEmpty() && key.length() < 9 && key.chars().allMatch(c -> c >= '0' && c <= '9');
        if (number && value instanceof Sequence sequence && Integer.parseInt(key) < sequence.items().size()) {
            return sequence.items().get(Integer.parseInt(key));
        }
        return required(null, key);
    }

    private static Value required(@Nullable Value value, String name) {
        if (value == null) {
            throw TemplateException.runtime("no value for the field '" + name + "'");
        }
        return value;
    }
}
