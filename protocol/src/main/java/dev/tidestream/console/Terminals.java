package dev.tidestream.console;

/** Which of the standard streams are terminals: the launcher says so, a JVM can ask about standard input and output together only. */
public final class Terminals {

    private Terminals() {}

    /** Whether a person would have to type what is read from standard input; false if nobody has said so. */
    public static boolean stdin() {
        return Boolean.getBoolean("tidestream.terminal.stdin");
    }

    /** Whether a person may look at standard output; true if nobody has said otherwise. */
    public static boolean stdout() {
        return !"false".equals(System.getProperty("tidestream.terminal.stdout"));
    }

    /** Whether a person looks at standard error; false if nobody has said so. */
    public static boolean stderr() {
        return Boolean.getBoolean("tidestream.terminal");
    }
}
