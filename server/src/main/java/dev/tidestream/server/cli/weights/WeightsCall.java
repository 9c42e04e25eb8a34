package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.admin.AdminOptions;
import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.CliException;

/** What all {@code weights} commands have in common: ask over HTTP, print; every trouble is one line and exit code 1. */
abstract class WeightsCall implements Callable<Integer> {
    private static final int ERROR_CHARS = 2000;
    private static final int CELL_CHARS = 80;

    @Mixin
    final AdminOptions options = new AdminOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    /** Asks the server. */
    abstract JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException;

    /** Prints an answer for people. */
    abstract void print(JsonNode answer, PrintWriter out);

    /** The exit code of an answer. */
    int code(JsonNode answer) {
        return 0;
    }

    @Override
    public final Integer call() {
        String token = options.token();
        JsonNode answer;
        try (AdminProgress progress = AdminProgress.onTerminal(spec.commandLine().getErr());
                WeightsClient client = new WeightsClient(options.url(), token, options.timeout())) {
            answer = ask(client, progress);
        } catch (IOException e) {
            throw new CliException(Printable.value(Reasons.message(e), ERROR_CHARS), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
        PrintWriter out = spec.commandLine().getOut();
        if (options.json()) {
            out.println(Printable.line(answer.toString())); // an escape of ours is one of JSON
        } else {
            print(answer, out);
        }
        return code(answer);
    }

    /** A field for people. */
    static String text(JsonNode object, String name) {
        JsonNode value = object.path(name);
        return value.isMissingNode() || (value.isTextual() && value.textValue().isEmpty()) ? "-" : Printable.value(value.asText(), CELL_CHARS);
    }
}
