package dev.tidestream.server.cli.cluster;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.admin.AdminOptions;
import dev.tidestream.server.cli.terminal.CliException;

/** {@code cluster add} and {@code cluster remove}: who keeps the log of weight versions. */
abstract class ClusterKeeperCommands implements Callable<Integer> {
    private static final int ERROR_CHARS = 2000;
    private static final int CELL_CHARS = 100;

    @Mixin
    final AdminOptions options = new AdminOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    private final String field;

    ClusterKeeperCommands(String field) {
        this.field = field;
    }

    abstract String keeper();

    @Override
    public Integer call() {
        JsonNode answer;
        try (ClusterClient client = new ClusterClient(options.url(), options.token(), options.timeout())) {
            answer = client.post("/keepers", JsonNodeFactory.instance.objectNode().put(field, keeper()).toString());
        } catch (IOException e) {
            throw new CliException(Printable.value(Reasons.message(e), ERROR_CHARS), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
        PrintWriter out = spec.commandLine().getOut();
        if (options.json()) {
            out.println(Printable.line(answer.toString()));
        } else {
            out.println("keepers:");
            answer.path("keepers").forEach(keeper -> out.println("  " + Printable.value(keeper.asText(), CELL_CHARS)));
        }
        return 0;
    }

    /** {@code cluster add}. */
    @Command(
            name = "add",
            description = "Make a node a keeper of the log of weight versions: one that is started with --join-keepers and waits for it.",
            footer = {
                "",
                "Example:",
                "  tidestream cluster add d=10.0.0.9:5720 --token-file admin.token",
            })
    static final class Add extends ClusterKeeperCommands {
        @Parameters(paramLabel = "ID=HOST:PORT", description = "Its name, and where the others find it.")
        private String keeper = "";

        Add() {
            super("add");
        }

        @Override
        String keeper() {
            return keeper;
        }
    }

    /** {@code cluster remove}. */
    @Command(
            name = "remove",
            description = "Take a keeper out of the log of weight versions; the others need a majority without it.",
            footer = {
                "",
                "Example:",
                "  tidestream cluster remove b --token-file admin.token",
            })
    static final class Remove extends ClusterKeeperCommands {
        @Parameters(paramLabel = "ID", description = "Its name.")
        private String keeper = "";

        Remove() {
            super("remove");
        }

        @Override
        String keeper() {
            return keeper;
        }
    }
}
