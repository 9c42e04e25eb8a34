package dev.tidestream.model.tokenizer.regex;

import java.util.stream.Collectors;

/**
 * A regular expression. What it finds is what a backtracking matcher finds: the leftmost match, of several there the one that the
 * expression prefers. All ways are followed at once, character by character, so a search costs at most (length of the text) x (size of the
 * expression), and no text overflows a stack. Immutable; any thread.
 *
 * <p>The dialect is the one of tokenizer.json: Oniguruma's default. {@code \s}, {@code \d}, {@code \w} and {@code \b} know all of Unicode,
 * {@code ^} and {@code $} are ends of lines. Looks of any length in both directions. No back references, no atomic groups.
 */
public final class Regex {
    private final String expression;
    private final Program program;

    private Regex(String expression, Program program) {
        this.expression = expression;
        this.program = program;
    }

    /** Takes matches, in order; they do not overlap. */
    public interface Matches {
        /**
         * @param start index of the first char
         * @param end index behind the last char; {@code start} if the match is empty
         */
        void accept(int start, int end);
    }

    /** @throws RegexSyntaxException if the expression has what is not understood */
    public static Regex compile(String expression) {
        return new Regex(expression, Program.of(Parser.parse(expression)));
    }

    /** Finds exactly this text. */
    public static Regex literal(String text) {
        return compile(text.codePoints()
                .mapToObj(c -> c < 128 && !Character.isLetterOrDigit(c) ? "\\" + Character.toString(c) : Character.toString(c))
                .collect(Collectors.joining()));
    }

    /** The expression as it was written. */
    public String expression() {
        return expression;
    }

    /**
     * Finds all matches in a range of a text, as if nothing stood around it. An empty match directly behind another match is none.
     *
     * @param text without unpaired surrogates
     */
    public void findAll(String text, int start, int end, Matches matches) {
        Search search = new Search(program, text, start, end);
        int from = start;
        int last = -1;
        while (from <= end && search.find(from)) {
            boolean empty = search.matchStart() == search.matchEnd();
            if (!empty || search.matchEnd() != last) {
                matches.accept(search.matchStart(), search.matchEnd());
                last = search.matchEnd();
            }
            from = search.matchEnd();
            if (empty) {
                from += from < end ? Character.charCount(text.codePointAt(from)) : 1;
            }
        }
    }

    @Override
    public String toString() {
        return expression;
    }
}
