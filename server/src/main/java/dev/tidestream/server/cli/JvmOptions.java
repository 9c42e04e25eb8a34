package dev.tidestream.server.cli;

import java.io.File;
import java.util.List;
import java.util.Set;

import picocli.CommandLine;
import picocli.CommandLine.IExecutionStrategy;

/**
 * What the JVM must have been started with for the commands that compute: the incubating Vector API. A jar's manifest cannot ask
 * for a module, so {@code java -jar} alone comes without it; the launcher gives it.
 */
final class JvmOptions {
    private static final String VECTOR_API = "jdk.incubator.vector";
    private static final String NEEDED = "--add-modules=" + VECTOR_API;
    private static final String GOOD = "--sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC";
    private static final Set<String> COMPUTING = Set.of("serve", "generate", "bench", "logits");

    private JvmOptions() {}

    /** Whether this JVM has what commands need. */
    static boolean haveVectorApi() {
        return ModuleLayer.boot().findModule(VECTOR_API).isPresent();
    }

    /** Runs a command as {@code run} does; one that cannot run says how to start the JVM, and gives 2. */
    static IExecutionStrategy strategy(boolean haveVectorApi, IExecutionStrategy run) {
        return parsed -> {
            List<CommandLine> commands = parsed.asCommandLineList();
            boolean computes = commands.size() > 1 && COMPUTING.contains(commands.get(1).getCommandName());
            if (!computes || haveVectorApi || asksForHelp(commands)) {
                return run.execute(parsed);
            }
            CommandLine last = commands.getLast();
            last.getErr().println("tidestream: "
                    + advice(System.getProperty("java.class.path", ""), last.getCommandSpec().qualifiedName()
                    .replaceFirst("^tidestream ", "")));
            return CommandLine.ExitCode.USAGE;
        };
    }

    private static boolean asksForHelp(List<CommandLine> commands) {
        return commands.stream().anyMatch(command -> command.isUsageHelpRequested() || command.isVersionHelpRequested());
    }

    /** @param classPath of this JVM; that of {@code java -jar FILE} is the file */
    static String advice(String classPath, String command) {
        String what = classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator)
                ? "-jar " + classPath
                : "-cp … " + Main.class.getName();
        return "this JVM was started without %s: use ./tidestream %s in a checkout, or java %s %s %s %s …"
                .formatted(NEEDED, command, NEEDED, GOOD, what, command);
    }
}
