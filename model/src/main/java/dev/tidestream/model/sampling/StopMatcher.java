package dev.tidestream.model.sampling;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Finds stop strings in a stream of text pieces. What may still become a stop string is withheld, so text that was given out is
 * never part of one. A stop string ends the stream where its first occurrence is complete; of several that are complete at the
 * same character the longest counts, since it begins first. Used by one thread.
 *
 * <p>Every stop string is followed by Knuth, Morris and Pratt's automaton (SIAM J. Comput. 6, 1977): its state is the length
 * of the longest suffix of the text so far that the string begins with. The longest of these states is what must be withheld,
 * so less than the longest stop string's length is kept, and each character costs amortised constant time per stop string.
 */
public final class StopMatcher {

    /**
     * What a piece of text led to.
     *
     * @param text safe to give out, possibly empty; when stopped, all that was left before the stop string
     * @param stopped whether a stop string is complete; the stream ends here
     */
    public record Result(String text, boolean stopped) {}

    private final String[] stops;
    private final int[][] borders; // (stops)(length + 1): longest proper border of each prefix
    private final int[] matched; // (stops): chars of the stop string that the text ends with
    private final StringBuilder withheld = new StringBuilder();
    private boolean stopped;

    /** @param stops none of them empty; none at all means that every text passes */
    public StopMatcher(Collection<String> stops) {
        this.stops = List.copyOf(stops).toArray(String[]::new);
        borders = new int[this.stops.length][];
        matched = new int[this.stops.length];
        for (int i = 0; i < borders.length; i++) {
            if (this.stops[i].isEmpty()) {
                throw new InvalidSamplingException("stop", "must not be empty: stop[%d]".formatted(i));
            }
            borders[i] = borders(this.stops[i]);
        }
    }

    private static int[] borders(String stop) {
        int[] borders = new int[stop.length() + 1];
        for (int length = 1, border = 0; length < stop.length(); length++) {
            border = follow(stop, borders, border, stop.charAt(length));
            borders[length + 1] = border;
        }
        return borders;
    }

    private static int follow(String stop, int[] borders, int matched, char next) {
        int state = matched;
        while (state > 0 && stop.charAt(state) != next) {
            state = borders[state];
        }
        return stop.charAt(state) == next ? state + 1 : 0;
    }

    /**
     * Takes the next piece.
     *
     * @throws IllegalStateException if a stop string was found before
     */
    public Result append(String piece) {
        if (stopped) {
            throw new IllegalStateException("the stream has stopped");
        }
        if (stops.length == 0) {
            return new Result(piece, false);
        }
        for (int i = 0; i < piece.length(); i++) {
            withheld.append(piece.charAt(i));
            int complete = advance(piece.charAt(i));
            if (complete > 0) {
                stopped = true;
                withheld.setLength(withheld.length() - complete);
                return new Result(take(withheld.length()), true);
            }
        }
        return new Result(take(safeLength()), false);
    }

    /** Advances all automata; the length of the longest stop string that is complete, or 0. */
    private int advance(char next) {
        int complete = 0;
        for (int s = 0; s < stops.length; s++) {
            matched[s] = follow(stops[s], borders[s], matched[s], next);
            if (matched[s] == stops[s].length()) {
                complete = Math.max(complete, matched[s]);
            }
        }
        return complete;
    }

    /** What lies before every possible beginning of a stop string, and does not end in half a surrogate pair. */
    private int safeLength() {
        int safe = withheld.length() - Arrays.stream(matched).max().orElse(0);
        return safe > 0 && safe < withheld.length() && Character.isHighSurrogate(withheld.charAt(safe - 1)) ? safe - 1 : safe;
    }

    private String take(int length) {
        String text = withheld.substring(0, length);
        withheld.delete(0, length);
        return text;
    }

    /** The rest, at the end of a stream in which no stop string was found; empty if one was. */
    public String flush() {
        Arrays.fill(matched, 0);
        return take(withheld.length());
    }
}
