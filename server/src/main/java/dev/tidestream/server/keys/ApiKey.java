package dev.tidestream.server.keys;

import java.util.regex.Pattern;

/**
 * One key, without its text.
 *
 * @param name what log, metrics and answers call it
 * @param hash of its text
 */
public record ApiKey(String name, KeyHash hash, KeyLimits limits) {
    /** Longest name. */
    public static final int MAX_NAME_CHARS = 64;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

    public ApiKey {
        requireName(name);
    }

    /**
     * Checks a name: it stands in lines of a file, in the log and in labels.
     *
     * @throws IllegalArgumentException if it is none, with the reason; does not show it, since it may be a key in the wrong place
     */
    public static void requireName(String name) {
        if (name.length() > MAX_NAME_CHARS || !NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "a name must have 1 to %d characters: letters, digits and . _ -, the first a letter or a digit: characters=%d"
                            .formatted(MAX_NAME_CHARS, name.length()));
        }
    }
}
