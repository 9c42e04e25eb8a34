package dev.tidestream.model.sampling;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Finds stop strings in a stream of text pieces. What may still become a stop string is withheld, so text that was given out is
 * never part of one. A stop string ends the stream where its first occurrence is complete; of several that are complete at the
 * same character the longest counts, since it begins first. Used by one thread.
 *
 * <p>A stop string is a sequence of symbols: UTF-16 code units, and control tokens ({@link #symbol}), which have a name, such as
 * {@code <|im_start|>}, but no text. So a stream stops at a control token that a stop string names, as a whole, alone or between
 * text; a piece of a name, such as {@code <}, matches text only.
 *
 * <p>Every stop string is followed by Knuth, Morris and Pratt's automaton (SIAM J. Comput. 6, 1977): its state is the length
 * of the longest suffix of the symbols so far that the string begins with. The longest of these states is what must be withheld,
 * so less than the longest stop string's length is kept, and each symbol costs amortised constant time per stop string.
 */
public final class StopMatcher {
    private static final int FIRST_CONTROL_SYMBOL = Character.MAX_VALUE + 1;

    /**
     * What a piece of text led to.
     *
     * @param text safe to give out, possibly empty; when stopped, all that was left before the stop string
     * @param stopped whether a stop string is complete; the stream ends here
     */
    public record Result(String text, boolean stopped) {}

    private final int[][] stops; // (stops)(length), symbols
    private final int[][] borders; // (stops)(length + 1): longest proper border of each prefix
    private final int[] matched; // (stops): symbols of the stop string that the stream ends with
    private final IntPredicate control;
    private int[] withheld = new int[16]; // symbols
    private int withheldCount;
    private boolean stopped;

    /**
     * Stop strings of text alone.
     *
     * @param stops none of them empty; none at all means that every text passes
     */
    public StopMatcher(Collection<String> stops) {
        this(stops.stream().map(stop -> stop.chars().toArray()).toList(), token -> false);
    }

    /**
     * Stop strings of text and control tokens.
     *
     * @param stops sequences of symbols, none of them empty
     * @param control which tokens are control tokens
     */
    public StopMatcher(List<int[]> stops, IntPredicate control) {
        this.stops = stops.stream().map(int[]::clone).toArray(int[][]::new);
        this.control = control;
        borders = new int[this.stops.length][];
        matched = new int[this.stops.length];
        for (int i = 0; i < borders.length; i++) {
            if (this.stops[i].length == 0) {
                throw new InvalidSamplingException("stop", "must not be empty: stop[%d]".formatted(i));
            }
            borders[i] = borders(this.stops[i]);
        }
    }

    /** The symbol of a control token; that of text is its UTF-16 code unit. */
    public static int symbol(int controlToken) {
        return FIRST_CONTROL_SYMBOL + controlToken;
    }

    private static int[] borders(int[] stop) {
        int[] borders = new int[stop.length + 1];
        for (int length = 1, border = 0; length < stop.length; length++) {
            border = follow(stop, borders, border, stop[length]);
            borders[length + 1] = border;
        }
        return borders;
    }

    private static int follow(int[] stop, int[] borders, int matched, int next) {
        int state = matched;
        while (state > 0 && stop[state] != next) {
            state = borders[state];
        }
        return stop[state] == next ? state + 1 : 0;
    }

    /**
     * Takes the next token.
     *
     * @param piece the text that it completes; for a control token it counts for nothing
     * @throws IllegalStateException if a stop string was found before
     */
    public Result append(int token, String piece) {
        return stops.length > 0 && control.test(token) ? appendAll(new int[] {symbol(token)}) : append(piece);
    }

    /**
     * Takes the next piece of text.
     *
     * @throws IllegalStateException if a stop string was found before
     */
    public Result append(String piece) {
        if (stops.length == 0) {
            return new Result(piece, false);
        }
        return appendAll(piece.chars().toArray());
    }

    private Result appendAll(int[] symbols) {
        if (stopped) {
            throw new IllegalStateException("the stream has stopped");
        }
        for (int symbol : symbols) {
            withhold(symbol);
            int complete = advance(symbol);
            if (complete > 0) {
                stopped = true;
                withheldCount -= complete;
                return new Result(take(withheldCount), true);
            }
        }
        return new Result(take(safeLength()), false);
    }

    private void withhold(int symbol) {
        if (withheldCount == withheld.length) {
            withheld = Arrays.copyOf(withheld, 2 * withheldCount);
        }
        withheld[withheldCount++] = symbol;
    }

    /** Advances all automata; the length of the longest stop string that is complete, or 0. */
    private int advance(int next) {
        int complete = 0;
        for (int s = 0; s < stops.length; s++) {
            matched[s] = follow(stops[s], borders[s], matched[s], next);
            if (matched[s] == stops[s].length) {
                complete = Math.max(complete, matched[s]);
            }
        }
        return complete;
    }

    /** What lies before every possible beginning of a stop string, and does not end in half a surrogate pair. */
    private int safeLength() {
        int safe = withheldCount - Arrays.stream(matched).max().orElse(0);
        return safe > 0 && safe < withheldCount && isHighSurrogate(withheld[safe - 1]) ? safe - 1 : safe;
    }

    private static boolean isHighSurrogate(int symbol) {
        return symbol < FIRST_CONTROL_SYMBOL && Character.isHighSurrogate((char) symbol);
    }

    /** Takes the first symbols out; the text of those that have one. */
    private String take(int length) {
        StringBuilder text = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            if (withheld[i] < FIRST_CONTROL_SYMBOL) {
                text.append((char) withheld[i]);
            }
        }
        withheldCount -= length;
        System.arraycopy(withheld, length, withheld, 0, withheldCount);
        return text.toString();
    }

    /** The rest, at the end of a stream in which no stop string was found; empty if one was. */
    public String flush() {
        Arrays.fill(matched, 0);
        return take(withheldCount);
    }
}
