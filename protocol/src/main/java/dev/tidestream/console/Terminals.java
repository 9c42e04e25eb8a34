package dev.tidestream.console;

import java.io.Console;

/** Which of the standard streams are terminals. The launcher knows; a JVM can ask about standard input and output together only. */
public final class Terminals {

    private Terminals() {}

    /** Whether a person would have to type what is read from standard input. */
    public static boolean stdin() {
        return is("tidestream.terminal.stdin");
    }

    /** Whether a person looks at standard output. */
    public static boolean stdout() {
        return is("tidestream.terminal.stdout");
    }

    /** Whether a person looks at standard error; false without the launcher. */
    public static boolean stderr() {
        return Boolean.getBoolean("tidestream.terminal");
    }

    @SuppressWarnings("SystemConsoleNull") // since JDK 25 it is null again where there is no terminal
    private static boolean is(String property) {
        String said = System.getProperty(property);
        if (said != null) {
            return Boolean.parseBoolean(said);
        }
        Console console = System.console();
        return console != null && console.isTerminal();
    }
}
