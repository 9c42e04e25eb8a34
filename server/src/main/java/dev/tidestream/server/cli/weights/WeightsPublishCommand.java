package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.server.cli.admin.AdminProgress;

/** {@code weights publish}: a held version is served. */
@Command(
        name = "publish",
        description = "Make a version that is held the one that new streams get.",
        footer = {
            "",
            "Examples:",
            "  tidestream weights publish 8 --token-file admin.token",
        })
final class WeightsPublishCommand extends WeightsCall {
    @Parameters(paramLabel = "VERSION", description = "Its number.")
    private long version;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        return client.post("publish", "{\"version\":%d}".formatted(version));
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        out.println("version %s is %s".formatted(
                text(answer, "version"), answer.path("changed").asBoolean() ? "published" : "published already"));
    }
}
