package dev.tidestream.console;

import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Values that begin with a dash. An option that takes a value takes the next argument, whatever it looks like, {@code --} too, as
 * getopt does; only where that argument is another option of the command and the value is no free text, the value was forgotten.
 */
final class OptionValues {
    /** Where options end, for the parser. An argument cannot have this character, so {@code --} may be a value. */
    private static final String END_OF_OPTIONS = "\0--";
    private static final String DASHES = "--";

    private OptionValues() {}

    static void configure(CommandLine commandLine) {
        commandLine.setAllowOptionsAsOptionParameters(true).setEndOfOptionsDelimiter(END_OF_OPTIONS);
    }

    /**
     * The arguments for a parser that was configured so.
     *
     * @throws MissingParameterException if the value of an option is missing
     */
    static String[] marked(CommandLine root, String[] args) {
        String[] marked = args.clone();
        CommandLine command = root;
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals(DASHES)) {
                marked[i] = END_OF_OPTIONS;
                break;
            }
            CommandLine subcommand = command.getSubcommands().get(args[i]);
            if (subcommand != null) {
                command = subcommand;
                continue;
            }
            OptionSpec option = command.getCommandSpec().optionsMap().get(args[i]);
            if (option != null && option.arity().min() > 0) {
                i++; // its value
                if (i < args.length && !isFreeText(option) && isOption(command, args[i])) {
                    throw new MissingParameterException(command, option,
                            "%s needs a value, and %s is another option".formatted(option.longestName(), args[i]));
                }
            }
        }
        return marked;
    }

    private static boolean isFreeText(OptionSpec option) {
        return option.type() == String.class || option.auxiliaryTypes()[0] == String.class;
    }

    private static boolean isOption(CommandLine command, String arg) {
        int equals = arg.indexOf('=');
        return command.getCommandSpec().optionsMap().containsKey(equals < 0 ? arg : arg.substring(0, equals));
    }
}
