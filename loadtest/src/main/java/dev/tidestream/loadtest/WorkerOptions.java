package dev.tidestream.loadtest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import picocli.CommandLine.Option;

/** Which processes {@code --faults kill-worker=EVERY} kills. */
final class WorkerOptions {
    @Option(names = "--worker-pid", paramLabel = "PID",
            description = "A worker to kill: its process id, or a file that holds it and is read each time. May be repeated.")
    List<String> pids = new ArrayList<>();

    @Option(names = "--worker-command", paramLabel = "COMMAND",
            description = "A worker to start, to kill and to start again, separated by spaces. May be repeated.")
    List<String> commands = new ArrayList<>();

    @Option(names = "--worker-back", paramLabel = "TIME", defaultValue = "2s",
            description = "When one of --worker-command is started again after it was killed; 0s: never (default: 2s).")
    Duration back = Duration.ofSeconds(2);

    boolean any() {
        return !pids.isEmpty() || !commands.isEmpty();
    }

    @Override
    public String toString() {
        return any() ? (pids.isEmpty() ? "" : "processes " + pids) + (pids.isEmpty() || commands.isEmpty() ? "" : ", ")
                + (commands.isEmpty() ? "" : commands.size() + " commands") : "none";
    }
}
