package dev.tidestream.server.cli.chat;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** A number that says how answers are made: an option, a name for {@code /set}, and a field of the wire. */
enum Setting {
    TEMPERATURE("temperature", 0.7, 0, 100, false),
    TOP_K("top_k", 40, 0, Integer.MAX_VALUE, true),
    TOP_P("top_p", 1, Float.MIN_VALUE, 1, false),
    MIN_P("min_p", 0, 0, 1, false),
    REPETITION_PENALTY("repetition_penalty", 1, Float.MIN_VALUE, 100, false),
    PRESENCE_PENALTY("presence_penalty", 0, -100, 100, false),
    FREQUENCY_PENALTY("frequency_penalty", 0, -100, 100, false),
    MAX_TOKENS("max_completion_tokens", 1024, 1, Integer.MAX_VALUE, true);

    private final String field;
    private final double usual;
    private final double min;
    private final double max;
    private final boolean whole;

    Setting(String field, double usual, double min, double max, boolean whole) {
        this.field = field;
        this.usual = usual;
        this.min = min;
        this.max = max;
        this.whole = whole;
    }

    /** Of a chat completion request. */
    String field() {
        return field;
    }

    /** Where nobody said otherwise. */
    double usual() {
        return usual;
    }

    /** Whether only whole numbers are values. */
    boolean whole() {
        return whole;
    }

    /** As {@code /set} calls it. */
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** With hyphens, too. */
    static Optional<Setting> named(String name) {
        String id = name.replace('-', '_').toLowerCase(Locale.ROOT);
        return Arrays.stream(values()).filter(setting -> setting.id().equals(id)).findFirst();
    }

    static String names() {
        return Arrays.stream(values()).map(Setting::id).collect(Collectors.joining(", "));
    }

    /**
     * The value, if it is one.
     *
     * @throws IllegalArgumentException with the range otherwise
     */
    double checked(String text) {
        double value;
        try {
            value = whole ? Integer.parseInt(text) : Float.parseFloat(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("must be %s: %s".formatted(whole ? "a whole number" : "a number", text), e);
        }
        if (!(value >= min && value <= max)) { // also NaN
            String range = max == Integer.MAX_VALUE ? "at least " + shown(min) : shown(min) + " to " + shown(max);
            throw new IllegalArgumentException("must be %s: %s".formatted(range, text));
        }
        return value;
    }

    /** A value as it would be typed. */
    String shown(double value) {
        return whole ? Long.toString((long) value) : Float.toString((float) value);
    }
}
