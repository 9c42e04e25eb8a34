package dev.tidestream.server.chat.jinja.syntax;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** Escapes in a literal of Python: {@code \n \t \x41 \u00e9 \101 …}; an unknown one stays as it is. */
final class StringEscapes {

    private StringEscapes() {}

    static String decode(String literal, Position at) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder out = new StringBuilder();
        int i = 0;
        while (i < literal.length()) {
            char c = literal.charAt(i++);
            if (c != '\\' || i == literal.length()) {
                out.append(c);
                continue;
            }
            char escape = literal.charAt(i++);
            switch (escape) {
                case 'n' -> out.append('\n');
                case 't' -> out.append('\t');
                case 'r' -> out.append('\r');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'a' -> out.append('\u0007');
                case 'v' -> out.append('\u000b');
                case '\\', '\'', '"' -> out.append(escape);
                case '\n' -> { }
                case 'x' -> i = hex(literal, i, 2, out, at);
                case 'u' -> i = hex(literal, i, 4, out, at);
                case 'U' -> i = hex(literal, i, 8, out, at);
                case '0', '1', '2', '3', '4', '5', '6', '7' -> i = octal(literal, i - 1, out);
                case 'N' -> throw new TemplateException(
                        TemplateException.Kind.SYNTAX, "characters by name (\\N) are not supported in a string", at);
                default -> out.append('\\').append(escape);
            }
        }
        return out.toString();
    }

    private static int hex(String literal, int start, int digits, StringBuilder out, Position at) {
        int end = start + digits;
        boolean valid = end <= literal.length() && literal.substring(start, end).chars().allMatch(c -> c < 128 && Character.digit(c, 16) >= 0);
        long value = valid ? Long.parseLong(literal.substring(start, end), 16) : -1;
        if (value < 0 || value > Character.MAX_CODE_POINT) {
            throw new TemplateException(TemplateException.Kind.SYNTAX, "an escape in a string needs " + digits + " hexadecimal digits", at);
        }
        out.appendCodePoint((int) value);
        return end;
    }

    private static int octal(String literal, int start, StringBuilder out) {
        int end = start;
        int value = 0;
        while (end < literal.length() && end < start + 3 && literal.charAt(end) >= '0' && literal.charAt(end) <= '7') {
            value = 8 * value + literal.charAt(end++) - '0';
        }
        out.appendCodePoint(value);
        return end;
    }
}
