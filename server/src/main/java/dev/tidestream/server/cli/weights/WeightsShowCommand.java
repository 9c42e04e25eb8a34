package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.console.Printable;
import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.Table;

/** {@code weights show}: one version. */
@Command(
        name = "show",
        description = "Show a version, with the checksums of the tensors that it has changed.",
        footer = {
            "",
            "Examples:",
            "  tidestream weights show 8 --token-file admin.token",
        })
final class WeightsShowCommand extends WeightsCall {
    private static final int NAME_CHARS = 60;

    @Parameters(paramLabel = "VERSION", description = "Its number.")
    private long version;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        return client.get("versions/" + version);
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        Table fields = new Table("FIELD", "VALUE");
        answer.properties().stream().filter(field -> field.getValue().isValueNode())
                .forEach(field -> fields.row(Printable.value(field.getKey(), NAME_CHARS), text(answer, field.getKey())));
        fields.print(out);
        if (!answer.path("tensors").isEmpty()) {
            out.println();
            Table tensors = new Table("TENSOR", "SHA-256");
            answer.path("tensors").forEach(tensor ->
                    tensors.row(Printable.value(tensor.asText(), NAME_CHARS), text(answer.path("checksums"), tensor.asText())));
            tensors.print(out);
        }
    }
}
