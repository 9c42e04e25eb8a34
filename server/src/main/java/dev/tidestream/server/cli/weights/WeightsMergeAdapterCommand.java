package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import dev.tidestream.console.Printable;
import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.JsonText;

/** {@code weights merge-adapter}: a version with an adapter in it. */
@Command(
        name = "merge-adapter",
        description = {
            "Make a new version of the weights that has an adapter in it.",
            "",
            "The adapter stays served; a stream that asks for it on the new version has its changes twice.",
        },
        footer = {
            "",
            "Examples:",
            "  tidestream weights merge-adapter law --label law --token-file admin.token",
        })
final class WeightsMergeAdapterCommand extends WeightsCall {
    private static final int NAME_CHARS = 128;

    @Parameters(paramLabel = "NAME", description = "A served adapter.")
    private String name = "";

    @Option(names = "--label", paramLabel = "TEXT", defaultValue = "", description = "A few words for the version (default: the adapter's name).")
    private String label = "";

    @Option(names = "--base-version", paramLabel = "N", description = "The version that must be current (default: whichever is).")
    private @Nullable Long baseVersion;

    @Option(names = "--update-id", paramLabel = "ID", description = "A name that no other update has (default: a random one).")
    private String updateId = "cli-" + UUID.randomUUID();

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        Long given = baseVersion;
        long base = given == null ? client.get("versions?limit=1").path("current").asLong() : given;
        String encoded = URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
        return client.postAdmin("adapters/%s/merge".formatted(encoded), JsonText.object(json -> {
            json.writeStringField("update_id", updateId);
            json.writeNumberField("base_version", base);
            json.writeStringField("label", label);
        }));
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        out.println("version %s has adapter %s: %d tensors, %s bytes".formatted(
                text(answer, "version"), Printable.value(name, NAME_CHARS), answer.path("changed").size(), text(answer, "bytes")));
    }
}
