package dev.tidestream.model.sampling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** The matcher against searching the whole text again after every character. */
class StopMatcherPropertyTest {

    @Test
    void shouldStopAndWithholdLikeTheDefinition() {
        for (long seed = 0; seed < 100_000; seed++) {
            Random random = new Random(seed);
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                stops.add(randomText(random, 1 + random.nextInt(6)));
            }
            check(stops, randomText(random, random.nextInt(30)), random, "seed=" + seed + ", stops=" + stops);
        }
    }

    private static void check(List<String> stops, String text, Random random, String message) {
        StopMatcher matcher = new StopMatcher(stops);
        StringBuilder emitted = new StringBuilder();
        int end = firstEnd(stops, text);
        int at = 0;
        while (at < text.length()) {
            int next = Math.min(text.length(), at + random.nextInt(4));
            StopMatcher.Result result = matcher.append(text.substring(at, next));
            at = next;
            emitted.append(result.text());
            assertEquals(end >= 0 && at >= end, result.stopped(), message);
            if (result.stopped()) {
                assertEquals(text.substring(0, end - longestEnding(stops, text.substring(0, end))), emitted.toString(), message);
                assertEquals("", matcher.flush(), message);
                assertThrows(IllegalStateException.class, () -> matcher.append("x"), message);
                return;
            }
            String soFar = text.substring(0, at);
            assertEquals(soFar.substring(0, at - longestBeginning(stops, soFar)), emitted.toString(), message);
        }
        assertEquals(text, emitted + matcher.flush(), message);
        assertEquals("", matcher.flush(), message);
    }

    /** Where the first stop string is complete; -1 if none is. */
    private static int firstEnd(List<String> stops, String text) {
        for (int end = 1; end <= text.length(); end++) {
            if (longestEnding(stops, text.substring(0, end)) > 0) {
                return end;
            }
        }
        return -1;
    }

    private static int longestEnding(List<String> stops, String text) {
        return stops.stream().filter(text::endsWith).mapToInt(String::length).max().orElse(0);
    }

    private static int longestBeginning(List<String> stops, String text) {
        int longest = 0;
        for (String stop : stops) {
            for (int length = 1; length < stop.length(); length++) {
                if (text.endsWith(stop.substring(0, length))) {
                    longest = Math.max(longest, length);
                }
            }
        }
        return longest;
    }

    private static String randomText(Random random, int length) {
        return random.ints(length, 0, 3).mapToObj("ab\n"::charAt).map(String::valueOf).collect(Collectors.joining());
    }

    /** Tokens above 2 are control tokens, which have no text; the others are the letters of an alphabet. */
    @Test
    void shouldStopAtControlTokensLikeTheDefinition() {
        for (long seed = 0; seed < 50_000; seed++) {
            Random random = new Random(seed);
            List<int[]> stops = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                stops.add(symbols(random.ints(1 + random.nextInt(4), 0, 5).toArray()));
            }
            check(stops, random.ints(random.nextInt(20), 0, 5).toArray(), "seed=" + seed);
        }
    }

    private static void check(List<int[]> stops, int[] tokens, String message) {
        StopMatcher matcher = new StopMatcher(stops, token -> token > 2);
        StringBuilder emitted = new StringBuilder();
        for (int count = 1; count <= tokens.length; count++) {
            int token = tokens[count - 1];
            StopMatcher.Result result = matcher.append(token, token > 2 ? "" : letter(token));
            emitted.append(result.text());
            int[] soFar = symbols(Arrays.copyOf(tokens, count));
            int complete = stops.stream().filter(stop -> endsWith(soFar, stop, stop.length)).mapToInt(stop -> stop.length)
                    .max().orElse(0);
            assertEquals(complete > 0, result.stopped(), message);
            int kept = complete;
            for (int[] stop : complete > 0 ? List.<int[]>of() : stops) {
                for (int length = 1; length < stop.length; length++) {
                    kept = endsWith(soFar, stop, length) ? Math.max(kept, length) : kept;
                }
            }
            assertEquals(visible(Arrays.copyOf(soFar, count - kept)), emitted.toString(), message);
            if (result.stopped()) {
                assertEquals("", matcher.flush(), message);
                return;
            }
        }
        assertEquals(visible(symbols(tokens)), emitted + matcher.flush(), message);
    }

    private static String letter(int token) {
        return "ab\n".substring(token, token + 1);
    }

    private static int[] symbols(int... tokens) {
        return Arrays.stream(tokens).map(token -> token > 2 ? StopMatcher.symbol(token) : letter(token).charAt(0)).toArray();
    }

    /** Whether the symbols end with the first {@code length} of a stop string. */
    private static boolean endsWith(int[] symbols, int[] stop, int length) {
        return length <= symbols.length
                && Arrays.equals(symbols, symbols.length - length, symbols.length, stop, 0, length);
    }

    private static String visible(int[] symbols) {
        return Arrays.stream(symbols).filter(symbol -> symbol <= Character.MAX_VALUE).mapToObj(Character::toString)
                .collect(Collectors.joining());
    }

    @Test
    void shouldRefuseEmptyStops() {
        InvalidSamplingException refusal =
                assertThrows(InvalidSamplingException.class, () -> new StopMatcher(List.of("a", "")));
        assertEquals("stop must not be empty: stop[1]", refusal.getMessage());
    }

    @Test
    void shouldWithholdNoMoreThanTheLongestStop() {
        StopMatcher matcher = new StopMatcher(List.of("aaab", "\uD83E\uDD99!"));
        int emitted = 0;
        for (int i = 1; i <= 100_000; i++) {
            emitted += matcher.append("a").text().length();
            assertEquals(Math.max(0, i - 3), emitted);
        }
        assertEquals("aaa", matcher.append("\uD83E\uDD99").text());
        assertEquals("\uD83E\uDD99\uD83E\uDD98", matcher.append("\uD83E\uDD98").text(), "never half a character");
    }
}
