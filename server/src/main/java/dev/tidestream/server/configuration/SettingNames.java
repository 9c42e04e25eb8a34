package dev.tidestream.server.configuration;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * The settings that there are.
 *
 * @param all names, e.g. {@code max-streams}
 * @param lists those that may have several values
 * @param aliases other names of some, and what they stand for
 */
public record SettingNames(Set<String> all, Set<String> lists, Map<String, String> aliases) {
    private static final String PREFIX = "TIDESTREAM_";
    private static final int TOO_DIFFERENT = 4; // edits
    private static final int MISSPELT = 3;
    private static final int MIN_BEGINNING = 3; // letters

    public SettingNames {
        all = Set.copyOf(all);
        lists = Set.copyOf(lists);
        aliases = Map.copyOf(aliases);
    }

    /** The variable of the environment that has a setting, e.g. {@code TIDESTREAM_MAX_STREAMS}. */
    public static String variable(String name) {
        return PREFIX + name.replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /** The setting that is called so; nothing for one that there is not. */
    Optional<String> canonical(String name) {
        return all.contains(name) ? Optional.of(name) : Optional.ofNullable(aliases.get(name));
    }

    /** The name that a word differs least from, if that is little. */
    Optional<String> nearest(String word) {
        String lower = word.toLowerCase(Locale.ROOT).replace('_', '-');
        return lower.length() < MIN_BEGINNING ? nearest(lower, all, TOO_DIFFERENT)
                : nearest(lower, all.stream().filter(name -> name.startsWith(lower)).toList(), Integer.MAX_VALUE)
                        .or(() -> nearest(lower, all, TOO_DIFFERENT));
    }

    /** A name that a word is, but for a letter or two. */
    Optional<String> misspelt(String word) {
        return nearest(word.toLowerCase(Locale.ROOT).replace('_', '-'), all, MISSPELT);
    }

    private static Optional<String> nearest(String word, Collection<String> names, int limit) {
        String best = null;
        int least = limit;
        for (String name : new TreeSet<>(names)) {
            int edits = edits(word, name);
            if (edits < least && (limit == Integer.MAX_VALUE || edits <= word.length() / 2)) {
                least = edits;
                best = name;
            }
        }
        return Optional.ofNullable(best);
    }

    /** The Levenshtein distance. */
    private static int edits(String a, String b) {
        int[] row = IntStream.rangeClosed(0, b.length()).toArray();
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
