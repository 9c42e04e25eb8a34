package dev.tidestream.server.cli.terminal;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

import dev.tidestream.console.Printable;

/** Ranges of option values; a value outside is wrong usage, said with the option, the value and the range. */
public final class Check {
    private static final int SHOWN_CHARS = 60;

    private Check() {}

    /** The value, if it is in the range, both ends included. */
    public static int range(CommandSpec spec, String option, int value, int min, int max) {
        if (value < min || value > max) {
            String range = max == Integer.MAX_VALUE ? "at least " + min : min + " to " + max;
            throw new ParameterException(spec.commandLine(), "%s must be %s: %d".formatted(option, range, value));
        }
        return value;
    }

    /** The value, if it is in the range, both ends included. */
    public static long range(CommandSpec spec, String option, long value, long min, long max) {
        if (value < min || value > max) {
            String range = max == Long.MAX_VALUE ? "at least " + min : min + " to " + max;
            throw new ParameterException(spec.commandLine(), "%s must be %s: %d".formatted(option, range, value));
        }
        return value;
    }

    /** The value, if it is in the range, both ends included; not a number is not. */
    public static float range(CommandSpec spec, String option, float value, float min, float max) {
        if (!(value >= min && value <= max)) { // also NaN
            throw new ParameterException(spec.commandLine(), "%s must be %s to %s: %s".formatted(option, min, max, value));
        }
        return value;
    }

    /**
     * A share: above 0 and at most 1.
     *
     * @param or what else may be written, for the message
     */
    public static double share(CommandSpec spec, String option, String value, String or) {
        try {
            double share = Double.parseDouble(value);
            if (share > 0 && share <= 1) {
                return share;
            }
        } catch (NumberFormatException e) { // said below
        }
        throw new ParameterException(spec.commandLine(), "%s must be above 0 and at most 1, or %s: %s, for example %s 0.25"
                .formatted(option, or, Printable.quoted(value, SHOWN_CHARS), option));
    }
}
