package dev.tidestream.server.adapters.file;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

import dev.tidestream.model.adapter.AdapterException;

/**
 * A regular expression of an adapter's configuration, in the words of Python's {@code re}, as far as these are Java's, too: what is
 * usual for names of modules is. A pattern that takes too many steps is refused, so that none can keep a thread.
 */
final class ModulePattern {
    private static final int MAX_CHARS = 4096;
    private static final int MAX_STEPS = 1_000_000;

    private final String key;
    private final Pattern pattern;

    private ModulePattern(String key, String text, String regex) {
        this.key = key;
        if (text.length() > MAX_CHARS) {
            throw new AdapterException("%s: a pattern is too long: chars=%d, limit=%d".formatted(key, text.length(), MAX_CHARS));
        }
        try {
            this.pattern = Pattern.compile(regex);
        } catch (PatternSyntaxException e) {
            throw new AdapterException("%s: not a pattern: %s: %s".formatted(key, Names.quote(text), e.getDescription()), e);
        }
    }

    /**
     * The whole of a path.
     *
     * @param key of the configuration, for messages
     */
    static ModulePattern whole(String key, String text) {
        return new ModulePattern(key, text, "(?:" + text + ")");
    }

    /** The whole of a path, or its end behind a point: how PEFT matches the keys of {@code rank_pattern} and {@code alpha_pattern}. */
    static ModulePattern end(String key, String text) {
        return new ModulePattern(key, text, "(?:.*\\.)?(?:" + text + ")");
    }

    boolean matches(String path) {
        try {
            return pattern.matcher(new Counted(path, 0, path.length(), new int[] {0}, key)).matches();
        } catch (StackOverflowError e) { // it goes deeper for each repetition
            throw new AdapterException("%s: a pattern is too deep".formatted(key), e);
        }
    }

    /** A text that counts how often it is looked at. */
    private record Counted(String text, int from, int to, int[] steps, String key) implements CharSequence {
        @Override
        public int length() {
            return to - from;
        }

        @Override
        public char charAt(int index) {
            if (++steps[0] > MAX_STEPS) {
                throw new AdapterException("%s: a pattern takes too many steps: limit=%d".formatted(key, MAX_STEPS));
            }
            return text.charAt(from + index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new Counted(text, from + start, from + end, steps, key);
        }

        @Override
        public String toString() {
            return text.substring(from, to);
        }
    }
}
