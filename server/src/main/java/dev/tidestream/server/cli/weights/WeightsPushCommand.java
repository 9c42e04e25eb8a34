package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import dev.tidestream.console.Printable;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;

/** {@code weights push}: safetensors files become one version, all of them or none. */
@Command(
        name = "push",
        description = "Send safetensors files, and make all of them one new version.",
        footer = {
            "",
            "The metadata of each file say what it is: kind full, rows, sparse, xor or lowrank. Names of tensors are those of Hugging Face",
            "or of GGUF. A push that broke off goes on where it was with the same --update-id.",
            "",
            "Examples:",
            "  tidestream weights push step-42.safetensors --label step-42 --token-file admin.token",
            "  tidestream weights push part-*.safetensors --tied untie --token-file admin.token",
            "  tidestream weights push step-42.safetensors --hold --token-file admin.token",
        })
final class WeightsPushCommand extends WeightsCall {
    private static final int NAME_CHARS = 60;

    @Parameters(arity = "1..*", paramLabel = "FILE", description = "Safetensors files.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private List<Path> files;

    @Option(names = "--label", paramLabel = "TEXT", defaultValue = "", description = "A few words for the version.")
    private String label = "";

    @Option(names = "--base-version", paramLabel = "N",
            description = "The version that the update was made for (default: the current one).")
    private @Nullable Long baseVersion;

    @Option(names = "--update-id", paramLabel = "ID", description = "A name that no other update has (default: a random one).")
    private String updateId = "cli-" + UUID.randomUUID();

    @Option(names = "--tied", paramLabel = "WHAT",
            description = "What becomes of an output head that is tied to the embedding: keep, untie or error (default: as the model has it).")
    private UpdatesDesk.@Nullable Tied tied;

    @Option(names = "--hold", fallbackValue = "true",
            description = "Commit the version without publishing it; see tidestream weights publish.")
    private boolean hold;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        Long given = baseVersion;
        long base = given == null ? client.get("versions?limit=1").path("current").asLong() : given;
        UpdatesDesk.Tied head = tied;
        client.post("updates", JsonText.object(json -> {
            json.writeStringField("update_id", updateId);
            json.writeNumberField("base_version", base);
            json.writeStringField("label", label);
            if (hold) {
                json.writeStringField("publish", "hold");
            }
            if (head != null) {
                json.writeStringField("tied", head.name().toLowerCase(Locale.ROOT));
            }
        }));
        for (int i = 0; i < files.size(); i++) {
            client.part("updates/%s/parts/%d".formatted(updateId, i), files.get(i), progress);
        }
        return client.post("updates/%s/commit".formatted(updateId), JsonText.object(json -> json.writeNumberField("parts", files.size())));
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        Set<Map.Entry<String, JsonNode>> changed = answer.path("changed").properties();
        out.println("version %s: %d tensors, %s bytes%s".formatted(text(answer, "version"), changed.size(), text(answer, "bytes"),
                answer.path("held").asBoolean() ? "; held, not published" : ""));
        Table table = new Table("TENSOR", ">ROWS CHANGED");
        changed.forEach(tensor -> table.row(Printable.value(tensor.getKey(), NAME_CHARS), tensor.getValue().asLong()));
        table.print(out);
    }
}
