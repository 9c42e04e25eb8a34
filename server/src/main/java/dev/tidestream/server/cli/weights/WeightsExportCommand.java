package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import dev.tidestream.server.admin.VersionsDesk.ExportFormat;
import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.CliException;

/** {@code weights export}: a version as a file. */
@Command(
        name = "export",
        description = {
            "Save a version of the weights as a file.",
            "",
            "gguf: a model that serve can load; every matrix in the format that it is held in, to the bit. safetensors: the weights under"
                    + " Hugging Face's names, quantised matrices as float32.",
        },
        footer = {
            "",
            "Examples:",
            "  tidestream weights export --format gguf -o tuned.gguf --token-file admin.token",
            "  tidestream weights export --version 7 --format safetensors -o model.safetensors --token-file admin.token",
        })
final class WeightsExportCommand extends WeightsCall {
    @Option(names = "--version", paramLabel = "N", description = "The version (default: the current one).")
    private @Nullable Long version;

    @Option(names = "--format", paramLabel = "FORMAT", defaultValue = "gguf", description = "gguf or safetensors (default: ${DEFAULT-VALUE}).")
    private ExportFormat format = ExportFormat.GGUF;

    @Option(names = {"-o", "--output"}, paramLabel = "FILE", required = true, description = "The file to write.")
    private Path file = Path.of("");

    @Option(names = "--force", fallbackValue = "true", description = "Replace the file if there is one.")
    private boolean force;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        if (!force && Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new CliException(file + " is there already: --force replaces it");
        }
        Long given = version;
        long which = given == null ? client.get("versions?limit=1").path("current").asLong() : given;
        long bytes = client.download("versions/%d/export?format=%s".formatted(which, format.name().toLowerCase(Locale.ROOT)), file, progress);
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        return answer.put("version", which).put("file", file.toString()).put("bytes", bytes);
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        out.println("version %s: %s, %s bytes".formatted(text(answer, "version"), text(answer, "file"), text(answer, "bytes")));
    }
}
