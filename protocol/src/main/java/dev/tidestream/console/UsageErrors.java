package dev.tidestream.console;

import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What is wrong with a command line, in our words: the option, the value, what it must be, and an example. Examples are those of the
 * command's own help, or the default.
 */
final class UsageErrors {
    private static final int SHOWN_CHARS = 100;
    private static final int SUGGESTIONS = 3;
    private static final int TOO_DIFFERENT = 3; // edits
    private static final int MIN_BEGINNING = 4; // two letters behind the dashes
    private static final Pattern WHOLE_NUMBER = Pattern.compile("[+-]?\\d+");
    private static final Pattern REMARK = Pattern.compile(" {3,}\\S.*$"); // behind an example in the help

    private UsageErrors() {}

    /** @param args as they were given */
    static String message(ParameterException error, List<String> args) {
        List<String> strange = error.getCommandLine().getUnmatchedArguments(); // more likely the cause than what is missing for it
        return switch (error) {
            case UnmatchedArgumentException unmatched -> unmatched(unmatched);
            case MissingParameterException missing when !strange.isEmpty() ->
                unmatched(new UnmatchedArgumentException(missing.getCommandLine(), strange));
            case MissingParameterException missing when !missing.getMissing().isEmpty() -> missing(missing, args);
            case OverwrittenOptionException twice -> name(twice.getOverwritten()) + " is given twice";
            default -> value(error);
        };
    }

    private static String unmatched(UnmatchedArgumentException error) {
        CommandLine command = error.getCommandLine();
        String arg = error.getUnmatched().getFirst();
        String shown = "'" + Printable.value(arg, SHOWN_CHARS) + "'";
        boolean option = error.isUnknownOption();
        boolean commands = !command.getSubcommands().isEmpty() && command.getCommandSpec().positionalParameters().isEmpty();
        Collection<String> names = option ? command.getCommandSpec().optionsMap().keySet() : command.getSubcommands().keySet();
        String likely = suggestions(arg.split("=", 2)[0], names);
        if (option) {
            boolean text = arg.contains(" ") && !command.getCommandSpec().positionalParameters().isEmpty();
            return "unknown option " + shown + likely + (text ? "; before a text that begins with a dash comes --" : "");
        }
        if (commands) {
            return "unknown command " + shown + (likely.isEmpty() ? "; there are " + commands(command) : likely);
        }
        return "unexpected argument " + shown
                + (command.getCommandSpec().positionalParameters().isEmpty() ? "" : "; a text with spaces needs quotation marks");
    }

    private static String commands(CommandLine command) {
        return command.getSubcommands().keySet().stream().sorted().collect(Collectors.joining(", "));
    }

    /** What may have been meant: the names that differ least, and by little, or begin as the argument does. */
    private static String suggestions(String arg, Collection<String> names) {
        int least = names.stream().mapToInt(name -> difference(arg, name)).min().orElse(TOO_DIFFERENT);
        return least >= TOO_DIFFERENT ? ""
                : names.stream().filter(name -> difference(arg, name) == least).sorted().limit(SUGGESTIONS)
                        .collect(Collectors.joining(" or ", "; did you mean ", "?"));
    }

    private static int difference(String arg, String name) {
        if (name.length() <= TOO_DIFFERENT) { // any other short name would do
            return TOO_DIFFERENT;
        }
        return Math.min(edits(arg, name), arg.length() >= MIN_BEGINNING && name.startsWith(arg) ? 1 : TOO_DIFFERENT);
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

    private static String missing(MissingParameterException error, List<String> args) {
        ArgSpec missing = error.getMissing().getFirst();
        CommandSpec command = error.getCommandLine().getCommandSpec();
        boolean named = missing instanceof OptionSpec option && args.stream().anyMatch(arg -> Arrays.asList(option.names()).contains(arg));
        String what = named
                ? (String.valueOf(error.getMessage()).contains("is another option") ? error.getMessage() : name(missing) + " needs a value")
                : name(missing) + (missing.isOption() ? " " + missing.paramLabel() : "") + " is missing";
        return what + example(missing, command);
    }

    /** Of a value that is none, or what we have said ourselves. */
    private static String value(ParameterException error) {
        ArgSpec arg = error.getArgSpec();
        Throwable cause = error.getCause();
        CommandLine command = error.getCommandLine();
        if ("Missing required subcommand".equals(error.getMessage())) {
            return "a command is missing; there are " + commands(command);
        }
        if (arg == null || cause == null) {
            return String.valueOf(error.getMessage());
        }
        String value = Printable.value(String.valueOf(error.getValue()), SHOWN_CHARS);
        Class<?> type = arg.typeInfo().isMultiValue() ? arg.auxiliaryTypes()[0] : arg.type();
        String must = mustBe(type, value);
        if (arg instanceof OptionSpec && arg.arity().max() == 0) {
            return "%s takes no value: '%s'".formatted(name(arg), value);
        }
        if (type == Path.class && String.valueOf(error.getValue()).isBlank()) {
            return name(arg) + " must not be blank" + example(arg, command.getCommandSpec());
        }
        if (type == Path.class) {
            return "%s: %s: '%s'".formatted(name(arg), whyNoPath(String.valueOf(error.getValue())), value);
        }
        String what = must.isEmpty() || arg.converters().length > 0
                ? "%s: %s".formatted(name(arg), Reasons.of(cause))
                : "%s must be %s: '%s'".formatted(name(arg), must, value);
        boolean text = value.contains(" ") && !command.getCommandSpec().positionalParameters().isEmpty();
        return what + (text ? "; before a text that begins with a dash comes --" : example(arg, command.getCommandSpec()));
    }

    /** The parser keeps the name of the exception only. */
    private static String whyNoPath(String value) {
        try {
            return "cannot be used: " + Path.of(value);
        } catch (InvalidPathException e) {
            return Reasons.of(e);
        }
    }

    private static String mustBe(Class<?> type, String value) {
        boolean isInt = type == int.class || type == Integer.class;
        if (isInt || type == long.class || type == Long.class) {
            boolean tooLarge = WHOLE_NUMBER.matcher(value).matches();
            return tooLarge ? "nearer to 0 than " + (isInt ? Integer.MAX_VALUE : Long.MAX_VALUE) : "a whole number";
        }
        if (type == float.class || type == Float.class || type == double.class || type == Double.class) {
            return "a number";
        }
        if (type.isEnum()) {
            String names = Arrays.stream(type.getEnumConstants()).map(UsageErrors::lowerCase).collect(Collectors.joining(", "));
            return names.replaceFirst(", ([^,]*)$", " or $1");
        }
        return type == URI.class ? "a URL" : "";
    }

    private static String name(ArgSpec arg) {
        return arg instanceof OptionSpec option ? option.longestName() : arg.paramLabel();
    }

    /** {@code , for example --port 9000}, or nothing if there is no example. */
    private static String example(ArgSpec arg, CommandSpec command) {
        String found = arg instanceof OptionSpec option ? example(option, command) : lineOfHelp(command);
        return found.isEmpty() ? "" : ", for example " + found;
    }

    private static String example(OptionSpec option, CommandSpec command) {
        for (String name : option.names()) {
            Pattern use = Pattern.compile("(?<=\\s)" + Pattern.quote(name) + "[ =](\"[^\"]*\"|\\S+)");
            for (String line : examples(command)) {
                Matcher matcher = use.matcher(line);
                if (matcher.find()) {
                    return matcher.group();
                }
            }
        }
        String byDefault = option.defaultValue();
        if (byDefault != null && !byDefault.isEmpty()) {
            return option.longestName() + " " + (option.type().isEnum() ? byDefault.toLowerCase(Locale.ROOT) : byDefault);
        }
        Class<?> type = option.typeInfo().isMultiValue() ? option.auxiliaryTypes()[0] : option.type();
        Object[] constants = type.getEnumConstants();
        String some = constants != null ? lowerCase(constants[0]) : mustBe(type, "").endsWith("number") ? "4" : "";
        return some.isEmpty() ? "" : option.longestName() + " " + some;
    }

    private static List<String> examples(CommandSpec command) {
        List<String> footer = List.of(command.usageMessage().footer());
        return footer.subList(Math.max(0, footer.indexOf("Examples:")), footer.size());
    }

    /** An example of the command itself, not of one that is used before it. */
    private static String lineOfHelp(CommandSpec command) {
        return examples(command).stream()
                .filter(line -> line.startsWith("  tidestream ") && line.contains(" " + command.name() + " "))
                .map(line -> REMARK.matcher(line.strip()).replaceFirst(""))
                .findFirst().orElse("");
    }

    private static String lowerCase(Object constant) {
        return constant.toString().toLowerCase(Locale.ROOT);
    }
}
