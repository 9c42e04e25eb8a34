package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.Table;

/** {@code weights list}: the versions. */
@Command(
        name = "list",
        description = "Show the versions of the weights, oldest first.",
        footer = {
            "",
            "Examples:",
            "  tidestream weights list --token-file admin.token",
            "  tidestream weights list --from 100 --json --token-file admin.token",
        })
final class WeightsListCommand extends WeightsCall {
    private long from = 1;

    @Option(names = "--from", paramLabel = "N", defaultValue = "1", description = "The first version to show (default: ${DEFAULT-VALUE}).")
    void setFrom(int value) {
        from = Check.range(spec, "--from", value, 1, Integer.MAX_VALUE);
    }

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        return client.get("versions?from=" + from);
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        Table table = new Table(">VERSION", ">PARENT", "KIND", "LABEL", "CREATED", ">TENSORS", ">BYTES", ">STREAMS", "");
        for (JsonNode version : answer.path("versions")) {
            table.row(text(version, "version"), text(version, "parent"), kind(version), text(version, "label"), text(version, "created"),
                    version.path("tensors").size(), text(version, "bytes"), text(version, "pins"),
                    state(version));
        }
        table.print(out);
    }

    private static String state(JsonNode version) {
        String memory = version.path("live").asBoolean() ? "in memory" : "";
        if (version.path("held").asBoolean()) {
            return memory.isEmpty() ? "held" : "held, " + memory;
        }
        return version.path("current").asBoolean() ? "current" : memory;
    }

    private static String kind(JsonNode version) {
        return version.has("to_version") ? text(version, "kind") + " to " + text(version, "to_version") : text(version, "kind");
    }
}
