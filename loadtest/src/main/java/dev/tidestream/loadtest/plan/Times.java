package dev.tidestream.loadtest.plan;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people type them: {@code 250us}, {@code 500ms}, {@code 10s}, {@code 1.5m}. */
public final class Times {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)(us|ms|s|m|h)");

    private Times() {}

    /** @throws IllegalArgumentException if it is not a number with a unit */
    public static Duration parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a duration such as 500ms, 10s or 2m: " + text);
        }
        double unitNs = switch (String.valueOf(matcher.group(2))) {
            case "us" -> 1e3;
            case "ms" -> 1e6;
            case "s" -> 1e9;
            case "m" -> 60e9;
            default -> 3600e9;
        };
        return Duration.ofNanos(Math.round(Double.parseDouble(String.valueOf(matcher.group(1))) * unitNs));
    }

    /** The same form, in seconds or, below one, in milliseconds. */
    public static String text(Duration duration) {
        double seconds = duration.toNanos() / 1e9;
        return seconds == 0 || seconds >= 1 ? number(seconds) + "s" : number(seconds * 1e3) + "ms";
    }

    /** A number without digits that say nothing. */
    static String number(double value) {
        return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    }
}
