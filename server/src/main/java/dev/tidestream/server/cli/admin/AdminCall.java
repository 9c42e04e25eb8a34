package dev.tidestream.server.cli.admin;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.terminal.CliException;

/** What all {@code admin} commands have in common: connect, ask, print; every trouble is one line and exit code 1. */
abstract class AdminCall implements Callable<Integer> {
    private static final int ERROR_CHARS = 2000;

    @Mixin
    final AdminOptions options = new AdminOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    /** Work before there is a connection: wrong usage, files. */
    void prepare(AdminProgress progress) {}

    /** Asks the server. */
    abstract AdminReport ask(AdminClient client, AdminProgress progress)
            throws IOException, AdminFailedException, InterruptedException;

    @Override
    public final Integer call() {
        String token = options.token();
        AdminReport report = run(token);
        PrintWriter out = spec.commandLine().getOut();
        if (options.json()) {
            out.println(Printable.line(report.json())); // an escape of ours is one of JSON
        } else {
            report.print(out);
        }
        return 0;
    }

    private AdminReport run(String token) {
        try (AdminProgress progress = AdminProgress.onTerminal(spec.commandLine().getErr())) {
            prepare(progress);
            try (AdminClient client = AdminClient.connect(options.url(), token, options.timeout())) {
                return ask(client, progress);
            }
        } catch (IOException | AdminFailedException e) {
            throw new CliException(Printable.value(Reasons.message(e), ERROR_CHARS), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
    }
}
