package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.Check;

/** {@code weights prune}: drops what only old versions need. */
@Command(
        name = "prune",
        description = {
            "Drop the payloads of old versions; a restart begins from a checkpoint then.",
            "",
            "Versions that streams hold are kept, and all newer ones, as those are that wait to be published; version 1, the model file,"
                    + " always is. Pruned versions stay in the list, and cannot be had again.",
        },
        footer = {
            "",
            "Examples:",
            "  tidestream weights prune --keep 10 --token-file admin.token",
        })
final class WeightsPruneCommand extends WeightsCall {
    private int keep;

    @Option(names = "--keep", paramLabel = "N", required = true,
            description = "How many versions to keep: the current one, and those before it.")
    void setKeep(int value) {
        keep = Check.range(spec, "--keep", value, 1, Integer.MAX_VALUE);
    }

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        return client.post("prune", "{\"keep\":%d}".formatted(keep));
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        out.println(answer.path("versions").asLong() == 0 ? "nothing to prune: versions from %s on are kept".formatted(text(answer, "kept_from"))
                : "%s versions pruned, %s bytes: versions from %s on are kept, and version 1".formatted(
                        text(answer, "versions"), text(answer, "bytes"), text(answer, "kept_from")));
    }
}
