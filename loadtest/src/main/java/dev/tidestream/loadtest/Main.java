package dev.tidestream.loadtest;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code tidestream loadtest …}. */
@Command(
        name = "loadtest",
        description = "Tests a running server from outside.",
        mixinStandardHelpOptions = true,
        subcommands = SmokeCommand.class,
        synopsisSubcommandLabel = "COMMAND")
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** 0: all is well; 1: the server answered wrongly or not at all; 2: wrong usage. */
    static int run(String... args) {
        return new CommandLine(new Main()).execute(args);
    }
}
