package dev.tidestream.model.tokenizer.regex;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads Oniguruma's default syntax as far as pre-tokenizers use it. Possessive quantifiers are taken of single characters only, where they
 * are the greedy ones and a look ahead. As in Oniguruma's default, a plus behind <code>{n,m}</code> repeats once more: it is not possessive.
 */
final class Parser {
    private static final int MOST_CHARS = 65_536;
    private static final int MOST_DEPTH = 64;
    private static final int MOST_QUANTIFIERS = 4; // of one part
    private static final int MOST_REPEATS = 1000;
    private static final int MOST_BOUNDS_CHARS = 11; // 12345,12345
    private static final int MOST_NAME_CHARS = 64; // of a property

    private final String text;
    private int at;
    private boolean ignoreCase;
    private int depth; // of groups and brackets that are open

    private Parser(String text) {
        this.text = text;
    }

    static Node parse(String expression) {
        if (expression.length() > MOST_CHARS) {
            throw new RegexSyntaxException("regular expression too long: chars=%d, limit=%d"
                    .formatted(expression.length(), MOST_CHARS));
        }
        Parser parser = new Parser(expression);
        Node node = parser.choice();
        if (parser.at < expression.length()) {
            throw parser.fault("')' without '('");
        }
        return node;
    }

    private Node choice() {
        boolean outside = ignoreCase;
        List<Node> options = new ArrayList<>();
        deeper();
        do {
            options.add(row());
        } while (take('|'));
        depth--;
        ignoreCase = outside;
        return options.size() == 1 ? options.getFirst() : new Node.Choice(options);
    }

    private void deeper() {
        if (++depth > MOST_DEPTH) {
            throw fault("nested too deeply: limit=%d".formatted(MOST_DEPTH));
        }
    }

    /** What is empty, however often it is repeated, is left out: every part that is left becomes at least one instruction. */
    private Node row() {
        List<Node> parts = new ArrayList<>();
        while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
            Node part = atom();
            int quantifiers = 0;
            while (true) {
                Node repeated = repeated(part);
                if (repeated == part) {
                    break;
                }
                if (++quantifiers > MOST_QUANTIFIERS) {
                    throw fault("too many quantifiers of one part: limit=%d".formatted(MOST_QUANTIFIERS));
                }
                part = repeated;
            }
            if (!isEmpty(part)) {
                parts.add(part);
            }
        }
        return parts.size() == 1 ? parts.getFirst() : new Node.Row(parts);
    }

    private static boolean isEmpty(Node node) {
        return switch (node) {
            case Node.Row(List<Node> parts) -> parts.isEmpty();
            case Node.Repeat repeat -> repeat.most() == 0 || isEmpty(repeat.part());
            default -> false;
        };
    }

    /** The part with the quantifier that stands here; the part itself if none does. */
    private Node repeated(Node part) {
        if (take('*')) {
            return simple(part, 0, -1);
        }
        if (take('+')) {
            return simple(part, 1, -1);
        }
        if (take('?')) {
            return simple(part, 0, 1);
        }
        int[] bounds = bounds();
        if (bounds.length == 0) {
            return part;
        }
        if (bounds[1] == bounds[0] && at < text.length() && text.charAt(at) == '?') {
            throw fault("{n}? means different things to different programs");
        }
        return new Node.Repeat(part, bounds[0], bounds[1], !take('?'));
    }

    private Node simple(Node part, int least, int most) {
        if (take('?')) {
            return new Node.Repeat(part, least, most, false);
        }
        Node greedy = new Node.Repeat(part, least, most, true);
        if (!take('+')) {
            return greedy;
        }
        if (!(part instanceof Node.One)) {
            throw fault("a possessive quantifier of more than one character");
        }
        Node none = new Node.Look(part, true, false);
        return most == 1 ? new Node.Choice(List.of(part, none)) : new Node.Row(List.of(greedy, none));
    }

    /** Of <code>{n,m}</code>; empty if that is not what stands here. */
    private int[] bounds() {
        if (at >= text.length() || text.charAt(at) != '{') {
            return new int[0];
        }
        int end = text.indexOf('}', at, Math.min(text.length(), at + MOST_BOUNDS_CHARS + 2));
        String inside = end < 0 ? "" : text.substring(at + 1, end);
        if (!inside.matches("\\d{1,5}|\\d{1,5},\\d{0,5}|,\\d{1,5}")) {
            return new int[0];
        }
        int comma = inside.indexOf(',');
        int least = comma == 0 ? 0 : Integer.parseInt(comma < 0 ? inside : inside.substring(0, comma));
        int most = comma < 0 ? least : comma == inside.length() - 1 ? -1 : Integer.parseInt(inside.substring(comma + 1));
        if (least > MOST_REPEATS || most > MOST_REPEATS || (most >= 0 && most < least)) {
            throw fault("bounds of a repetition: {%s}, limit=%d".formatted(inside, MOST_REPEATS));
        }
        at = end + 1;
        return new int[] {least, most};
    }

    private Node atom() {
        int c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> new Node.One(set());
            case '.' -> new Node.One(CharClass.NOT_LINE_FEED);
            case '^' -> new Node.Place((before, _) -> before < 0 || before == '\n');
            case '$' -> new Node.Place((_, behind) -> behind < 0 || behind == '\n');
            case '*', '+', '?' -> throw fault("nothing to repeat");
            case '\\' -> escape();
            default -> one(CharClass.of(c));
        };
    }

    private Node one(CharClass chars) {
        return new Node.One(ignoreCase ? chars.ignoringCase() : chars);
    }

    private Node escape() {
        if (at >= text.length()) {
            throw fault("nothing behind '\\'");
        }
        return switch (text.charAt(at)) {
            case 'b', 'B' -> {
                boolean wanted = text.charAt(at++) == 'b';
                yield new Node.Place((before, behind) -> (isWord(before) != isWord(behind)) == wanted);
            }
            case 'A' -> {
                at++;
                yield new Node.Place((before, _) -> before < 0);
            }
            case 'z' -> {
                at++;
                yield new Node.Place((_, behind) -> behind < 0);
            }
            default -> one(escapedClass());
        };
    }

    private static boolean isWord(int c) {
        return c >= 0 && CharClass.WORD.has(c);
    }

    /** What the escape stands for, the backslash being read; for one character a class of one. */
    private CharClass escapedClass() {
        int c = next();
        return switch (c) {
            case 's' -> CharClass.SPACE;
            case 'S' -> CharClass.SPACE.negated();
            case 'd' -> CharClass.DIGIT;
            case 'D' -> CharClass.DIGIT.negated();
            case 'w' -> CharClass.WORD;
            case 'W' -> CharClass.WORD.negated();
            case 'p' -> property(false);
            case 'P' -> property(true);
            default -> {
                at -= Character.charCount(c);
                yield CharClass.of(escapedChar());
            }
        };
    }

    private int escapedChar() {
        int c = next();
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'f' -> '\f';
            case 'v' -> 0x0B;
            case 'a' -> 0x07;
            case 'e' -> 0x1B;
            case 'u' -> hex(at + 4 > text.length() ? 0 : 4);
            case 'x' -> take('{') ? bracedHex() : hex(2);
            default -> {
                if (c < 128 && Character.isLetterOrDigit(c)) {
                    throw fault("'\\%c' is not understood".formatted(c));
                }
                yield c;
            }
        };
    }

    private int bracedHex() {
        int end = text.indexOf('}', at);
        int value = hex(end < 0 ? 0 : end - at);
        at++;
        return value;
    }

    private int hex(int digits) {
        String number = text.substring(at, Math.min(text.length(), at + digits));
        if (!number.matches("[0-9A-Fa-f]{1,6}")) {
            throw fault("a number in hexadecimal digits");
        }
        at += number.length();
        int c = Integer.parseInt(number, 16);
        if (c > Character.MAX_CODE_POINT) {
            throw fault("no such character: " + number);
        }
        return c;
    }

    private CharClass property(boolean negated) {
        int end = text.indexOf('}', at, Math.min(text.length(), at + MOST_NAME_CHARS));
        if (at >= text.length()) {
            throw fault("\\p without a name");
        }
        if (text.charAt(at) != '{') {
            CharClass category = CharClass.property(String.valueOf(text.charAt(at++)));
            return negated ? category.negated() : category;
        }
        if (end < 0) {
            throw fault("\\p{ without '}'");
        }
        String name = text.substring(at + 1, end);
        at = end + 1;
        boolean not = name.startsWith("^");
        CharClass property = CharClass.property(not ? name.substring(1) : name);
        return negated != not ? property.negated() : property;
    }

    private Node group() {
        if (!take('?')) {
            return inside();
        }
        if (take(':')) {
            return inside();
        }
        if (take('=')) {
            return new Node.Look(inside(), true, true);
        }
        if (take('!')) {
            return new Node.Look(inside(), true, false);
        }
        if (take('<')) {
            if (take('=')) {
                return new Node.Look(inside(), false, true);
            }
            if (take('!')) {
                return new Node.Look(inside(), false, false);
            }
            throw fault("a named group");
        }
        boolean on = !take('-');
        if (!take('i')) {
            throw fault("this kind of group is not understood");
        }
        if (take(':')) {
            boolean outside = ignoreCase;
            ignoreCase = on;
            Node node = inside();
            ignoreCase = outside;
            return node;
        }
        if (take(')')) {
            ignoreCase = on; // to the end of the group around it
            return choice();
        }
        throw fault("this kind of group is not understood");
    }

    private Node inside() {
        Node node = choice();
        if (!take(')')) {
            throw fault("'(' without ')'");
        }
        return node;
    }

    /** A class in brackets, the first bracket being read. */
    private CharClass set() {
        deeper();
        boolean negated = take('^');
        List<CharClass> all = new ArrayList<>(List.of(union()));
        while (text.startsWith("&&", at)) {
            at += 2;
            all.add(union());
        }
        if (!take(']')) {
            throw fault("'[' without ']'");
        }
        depth--;
        CharClass set = CharClass.all(all);
        return negated ? set.negated() : set;
    }

    private CharClass union() {
        CharClass.Union members = new CharClass.Union();
        CharClass.Union nested = new CharClass.Union(); // these ignore case already
        boolean first = true;
        while (at < text.length() && !text.startsWith("&&", at) && (text.charAt(at) != ']' || first)) {
            boolean inBrackets = text.charAt(at) == '[';
            (inBrackets ? nested : members).add(member());
            first = false;
        }
        CharClass set = members.build();
        return nested.add(ignoreCase ? set.ignoringCase() : set).build();
    }

    private CharClass member() {
        int start = at;
        int c = next();
        if (c == '[') {
            if (at < text.length() && text.charAt(at) == ':') {
                throw fault("a POSIX bracket");
            }
            return set();
        }
        if (c == '\\') {
            char kind = at < text.length() ? text.charAt(at) : 0;
            if (kind == 0 || "sSdDwWpP".indexOf(kind) >= 0) {
                return escapedClass();
            }
            c = escapedChar();
        }
        boolean range = at + 1 < text.length() && text.charAt(at) == '-' && text.charAt(at + 1) != ']';
        if (!range) {
            return CharClass.of(c);
        }
        at++;
        int last = next();
        if (last == '\\') {
            last = escapedChar();
        } else if (last == '[') {
            throw fault("a range to a class");
        }
        if (last < c) {
            throw fault("a range from back to front: %s".formatted(text.substring(start, at)));
        }
        return CharClass.range(c, last);
    }

    private int next() {
        if (at >= text.length()) {
            throw fault("the end");
        }
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    private boolean take(char wanted) {
        boolean found = at < text.length() && text.charAt(at) == wanted;
        at += found ? 1 : 0;
        return found;
    }

    private RegexSyntaxException fault(String what) {
        return new RegexSyntaxException("regular expression not understood: %s, at=%d".formatted(what, at));
    }
}
