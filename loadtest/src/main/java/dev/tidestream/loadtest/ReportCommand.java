package dev.tidestream.loadtest;

import java.util.concurrent.Callable;

import picocli.CommandLine.Command;

/** {@code loadtest report}: reports of runs that were kept. */
@Command(name = "report", description = "Shows or compares reports that --out has written.", mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        return 0;
    }
}
