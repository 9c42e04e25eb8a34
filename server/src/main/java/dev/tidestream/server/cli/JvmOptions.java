package dev.tidestream.server.cli;

import java.io.File;
import java.util.List;
import java.util.Set;

import picocli.CommandLine;
import picocli.CommandLine.IExecutionStrategy;

import dev.tidestream.model.kernels.KernelSelection;

/**
 * What the JVM must have been started with for the commands that compute: the incubating Vector API, where there are no generated
 * kernels. A jar's manifest cannot ask for a module, so {@code java -jar} alone comes without it; the launcher gives it where it
 * is needed.
 */
final class JvmOptions {
    private static final String NEEDED = "--add-modules=jdk.incubator.vector";
    private static final String GOOD = "--sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC";
    private static final Set<String> COMPUTING = Set.of("serve", "generate", "chat", "bench", "logits");
    /** Its yardstick is a loop in the Vector API. */
    private static final String BENCH_HEAD = "head";

    private JvmOptions() {}

    /** Runs a command as {@code run} does; one that cannot run says how to start the JVM, and gives 2. */
    static IExecutionStrategy strategy(IExecutionStrategy run) {
        return parsed -> {
            List<CommandLine> commands = parsed.asCommandLineList();
            boolean computes = commands.size() > 1 && COMPUTING.contains(commands.get(1).getCommandName());
            if (!computes || asksForHelp(commands) || canRun(commands.getLast().getCommandName())) {
                return run.execute(parsed);
            }
            CommandLine last = commands.getLast();
            last.getErr().println("tidestream: "
                    + advice(System.getProperty("java.class.path", ""), last.getCommandSpec().qualifiedName()
                    .replaceFirst("^tidestream ", "")));
            return CommandLine.ExitCode.USAGE;
        };
    }

    /** Whether this JVM has what a command that computes needs. */
    private static boolean canRun(String command) {
        return KernelSelection.haveVectorApi() || (!command.equals(BENCH_HEAD) && KernelSelection.generated().isPresent());
    }

    private static boolean asksForHelp(List<CommandLine> commands) {
        return commands.stream().anyMatch(command -> command.isUsageHelpRequested() || command.isVersionHelpRequested());
    }

    /** @param classPath of this JVM; that of {@code java -jar FILE} is the file */
    static String advice(String classPath, String command) {
        String what = classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator)
                ? "-jar " + classPath
                : "-cp … " + Main.class.getName();
        return ("this JVM was started without %s: use ./tidestream %s in a checkout (with that in TIDESTREAM_JAVA_OPTS, if you do),"
                + " or java %s %s %s %s …").formatted(NEEDED, command, NEEDED, GOOD, what, command);
    }
}
