package dev.tidestream.server.chat.jinja.syntax;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.syntax.Token.Kind;
import dev.tidestream.server.chat.jinja.value.Texts;

/**
 * Cuts a template into tokens, as Jinja does with {@code trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False}:
 *
 * <ul>
 * <li>every end of a line is {@code \n}; one at the end of the template goes;
 * <li>one newline after <code>%}</code> and <code>#}</code> goes, unless there is a {@code +} before the percent or number sign;
 * <li>blanks between the begin of a line and <code>{%</code> or <code>{#</code> go, unless {@code +} follows;
 * <li>a {@code -} inside any tag takes all white space on its side.
 * </ul>
 * One use, one thread.
 */
final class Lexer {
    private static final Pattern BEGIN = Pattern.compile("\\{([{%#])([-+]?)");
    private static final String BLANK = "[\\s\\x{1c}-\\x{1f}\\x{85}\\p{Z}]*";
    private static final Pattern RAW = Pattern.compile("\\{%[-+]?" + BLANK + "raw" + BLANK + "(?:-%\\}" + BLANK + "|%\\})");
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)" + BLANK + "endraw" + BLANK + "(?:\\+%\\}|-%\\}" + BLANK + "|%\\}\\n?)");
    private static final Pattern COMMENT_END = Pattern.compile("\\+#\\}|-#\\}" + BLANK + "|#\\}\\n?");
    private static final Pattern PRINT_END = Pattern.compile("-\\}\\}" + BLANK + "|\\}\\}");
    private static final Pattern BLOCK_END = Pattern.compile("\\+%\\}|-%\\}" + BLANK + "|%\\}\\n?");
    private static final Pattern SPACE = Pattern.compile("[\\s\\x{1c}-\\x{1f}\\x{85}\\p{Z}]+");
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private boolean lineBegins = true; // whether what stands at the place begins a line, as far as the tag before it says
    private int counted; // up to where lines have been counted
    private int line = 1;
    private int lineStart;

    private Lexer(String source) {
        this.source = source;
    }

    /** All tokens of a template; the last one is its end. */
    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        Matcher begin = BEGIN.matcher(source);
        while (begin.find(at)) {
            int start = begin.start();
            char kind = begin.group(1).charAt(0);
            data(at, dataEnd(at, start, begin.group(2), kind == '{'));
            at = begin.end();
            switch (kind) {
                case '#' -> comment(start);
                case '{' -> tag(start, Kind.PRINT_BEGIN, Kind.PRINT_END, PRINT_END);
                default -> {
                    if (!raw(start)) {
                        tag(start, Kind.BLOCK_BEGIN, Kind.BLOCK_END, BLOCK_END);
                    }
                }
            }
            lineBegins = source.charAt(at - 1) == '\n';
        }
        data(at, source.length());
        tokens.add(new Token(Kind.END, "", position(source.length())));
    }

    private void data(int start, int end) {
        if (start < end) {
            tokens.add(new Token(Kind.DATA, source.substring(start, end), position(start)));
        }
    }

    /** Where the text before a tag ends. */
    private int dataEnd(int start, int end, String sign, boolean print) {
        if (sign.equals("-")) {
            int last = end;
            while (last > start && Texts.isSpace(source.charAt(last - 1))) {
                last--;
            }
            return last;
        }
        if (sign.equals("+") || print) {
            return end;
        }
        int last = end;
        while (last > start && source.charAt(last - 1) != '\n' && Texts.isSpace(source.charAt(last - 1))) {
            last--;
        }
        boolean beginsLine = last > start ? source.charAt(last - 1) == '\n' : lineBegins;
        return beginsLine ? last : end;
    }

    private void comment(int start) {
        Matcher end = COMMENT_END.matcher(source);
        if (!end.find(at)) {
            throw error(start, "Missing end of comment tag");
        }
        at = end.end();
    }

    private boolean raw(int start) {
        Matcher raw = RAW.matcher(source).region(start, source.length());
        if (!raw.lookingAt()) {
            return false;
        }
        Matcher end = END_RAW.matcher(source);
        if (!end.find(raw.end())) {
            throw error(start, "Missing end of raw directive");
        }
        lineBegins = source.charAt(raw.end() - 1) == '\n';
        int first = raw.end();
        int last = end.start();
        data(first, dataEnd(first, last, end.group(1), false));
        at = end.end();
        return true;
    }

    private void tag(int start, Kind begin, Kind end, Pattern closing) {
        tokens.add(new Token(begin, "", position(start)));
        Deque<Character> open = new ArrayDeque<>();
        Matcher close = closing.matcher(source).useAnchoringBounds(false);
        while (at < source.length()) {
            close.region(at, source.length());
            if (open.isEmpty() && close.lookingAt()) {
                tokens.add(new Token(end, "", position(at)));
                at = close.end();
                return;
            }
            token(open);
        }
        throw error(start, "unexpected end of template, expected '" + end.words + "'");
    }

    private void token(Deque<Character> open) {
        char c = source.charAt(at);
        if (skip(SPACE)) {
            return;
        }
        if (c == '\'' || c == '"') {
            string(c);
        } else if (Character.isUnicodeIdentifierStart(source.codePointAt(at)) || c == '_') {
            int end = at;
            while (end < source.length() && (Character.isUnicodeIdentifierPart(source.codePointAt(end))
                    && !Character.isIdentifierIgnorable(source.codePointAt(end)))) {
                end += Character.charCount(source.codePointAt(end));
            }
            if (end == at) {
                throw error(at, "unexpected char '" + c + "'");
            }
            tokens.add(new Token(Kind.NAME, source.substring(at, end), position(at)));
            at = end;
        } else if (c >= '0' && c <= '9') {
            number();
        } else {
            operator(open);
        }
    }

    private boolean skip(Pattern pattern) {
        Matcher matcher = pattern.matcher(source).useTransparentBounds(true).region(at, source.length());
        if (!matcher.lookingAt()) {
            return false;
        }
        at = matcher.end();
        return true;
    }

    /** Digits may have single underscores between them; behind a dot there are integers only ({@code a.0.b}). */
    private void number() {
        int start = at;
        Kind kind = Kind.INTEGER;
        int end = digits(start, 10);
        if (start == 0 || source.charAt(start - 1) != '.') {
            int fraction = end < source.length() && source.charAt(end) == '.' ? digits(end + 1, 10) : end;
            fraction = fraction == end + 1 ? end : fraction;
            int exponent = exponent(fraction);
            kind = exponent > end ? Kind.REAL : Kind.INTEGER;
            at = exponent;
        }
        if (kind == Kind.INTEGER) {
            at = source.charAt(start) == '0' ? zero(start) : end;
        }
        tokens.add(new Token(kind, source.substring(start, at).replace("_", ""), position(start)));
    }

    private int exponent(int start) {
        if (start >= source.length() || (source.charAt(start) != 'e' && source.charAt(start) != 'E')) {
            return start;
        }
        int first = start + 1;
        if (first < source.length() && (source.charAt(first) == '+' || source.charAt(first) == '-')) {
            first++;
        }
        int end = digits(first, 10);
        return end == first ? start : end;
    }

    /** Zeros, or a number in another base. */
    private int zero(int start) {
        int radix = start + 1 >= source.length() ? 0 : switch (source.charAt(start + 1)) {
            case 'b', 'B' -> 2;
            case 'o', 'O' -> 8;
            case 'x', 'X' -> 16;
            default -> 0;
        };
        if (radix == 0) {
            return digits(start, 1);
        }
        int first = start + 2 < source.length() && source.charAt(start + 2) == '_' ? start + 3 : start + 2;
        int end = digits(first, radix);
        return end == first ? start + 1 : end;
    }

    private int digits(int start, int radix) {
        int end = start;
        while (end < source.length() && (digit(end, radix)
                || (end > start && source.charAt(end) == '_' && end + 1 < source.length() && digit(end + 1, radix)))) {
            end++;
        }
        return end;
    }

    private boolean digit(int offset, int radix) {
        char c = source.charAt(offset);
        return radix == 1 ? c == '0' : c < 128 && Character.digit(c, radix) >= 0;
    }

    private void operator(Deque<Character> open) {
        for (String signs : OPERATORS) {
            if (source.startsWith(signs, at)) {
                balance(signs.charAt(0), open);
                tokens.add(new Token(Kind.OPERATOR, signs, position(at)));
                at += signs.length();
                return;
            }
        }
        throw error(at, "unexpected char '" + Character.toString(source.codePointAt(at)) + "'");
    }

    private void balance(char c, Deque<Character> open) {
        switch (c) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty()) {
                    throw error(at, "unexpected '" + c + "'");
                }
                char expected = open.pop();
                if (expected != c) {
                    throw error(at, "unexpected '" + c + "', expected '" + expected + "'");
                }
            }
            default -> { }
        }
    }

    private void string(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw error(at, "a string without an end");
        }
        Position place = position(at);
        tokens.add(new Token(Kind.STRING, StringEscapes.decode(source.substring(at + 1, end), place), place));
        at = end + 1;
    }

    private TemplateException error(int offset, String reason) {
        return new TemplateException(TemplateException.Kind.SYNTAX, reason, position(offset));
    }

    /** Lines are counted once, forwards; who asks for an earlier place is counted anew. */
    private Position position(int offset) {
        if (offset < counted) {
            counted = 0;
            line = 1;
            lineStart = 0;
        }
        for (; counted < offset; counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
                lineStart = counted + 1;
            }
        }
        return new Position(line, offset - lineStart + 1);
    }
}
