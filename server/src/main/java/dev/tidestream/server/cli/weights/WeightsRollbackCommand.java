package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.server.cli.admin.AdminProgress;

/** {@code weights rollback}: a version with the weights of an older one. */
@Command(
        name = "rollback",
        description = "Make a new version with the weights of an older one.",
        footer = {
            "",
            "Examples:",
            "  tidestream weights rollback 7 --token-file admin.token",
        })
final class WeightsRollbackCommand extends WeightsCall {
    @Parameters(paramLabel = "VERSION", description = "The older one.")
    private long version;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        return client.post("rollback", "{\"to\":%d}".formatted(version));
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        out.println("version %s has the weights of version %s".formatted(text(answer, "version"), text(answer, "to")));
    }
}
