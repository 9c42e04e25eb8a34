package dev.tidestream.model.tokenizer.regex;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A regular expression. What it finds is what a backtracking matcher finds: the leftmost match, of several there the one that the
 * expression prefers; but for repetitions of what prefers to be empty, such as {@code (?:|a)*}, where engines differ. All ways are
 * followed at once, character by character, so all matches of a text take at most a constant times (length
 * of the text) x (instructions of the expression) steps, whatever the text, and none overflows a stack ({@link Search} says how). Immutable;
 * any thread.
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

    /** @throws RegexSyntaxException if the expression is not understood, or too large: with the place, or the limit */
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

    /** Whether it may match nothing, at some place of some text. */
    public boolean mayBeEmpty() {
        Threads ways = new Threads(program);
        ways.clear();
        ways.add(0, 0, 0, (_, _, _) -> true);
        return IntStream.range(0, ways.count()).anyMatch(way -> program.op(ways.pc(way)) == Program.MATCH);
    }

    /**
     * Finds all matches in a range of a text, as if nothing stood around it. An empty match directly behind another match is none.
     *
     * @param text without unpaired surrogates
     */
    public void findAll(String text, int start, int end, Matches matches) {
        in(text).findAll(start, end, matches);
    }

    /** Searches in many ranges of one text; for one thread. */
    public Finder in(String text) {
        return new Finder(new Search(program, text));
    }

    /** The same, but that nothing may be read again ({@link Future}): for tests. */
    Finder onceIn(String text) {
        return new Finder(new Search(program, text, -1));
    }

    /** Searches in one text. Used by one thread. */
    public static final class Finder {
        private final Search search;

        private Finder(Search search) {
            this.search = search;
        }

        /** {@link Regex#findAll} in a range. */
        public void findAll(int start, int end, Matches matches) {
            search.findAll(start, end, matches);
        }
    }

    @Override
    public String toString() {
        return expression;
    }
}
