package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import dev.tidestream.server.cli.admin.AdminProgress;

/** {@code weights verify}: computes a version anew. */
@Command(
        name = "verify",
        description = "Compute a version anew from the model file and the updates on disk, and compare it with memory and checksums.",
        footer = {
            "",
            "Exit code 1 if anything differs.",
            "",
            "Examples:",
            "  tidestream weights verify 8 --token-file admin.token",
        })
final class WeightsVerifyCommand extends WeightsCall {
    @Parameters(paramLabel = "VERSION", description = "Its number.")
    private long version;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        return client.post("versions/%d/verify".formatted(version), null);
    }

    @Override
    int code(JsonNode answer) {
        return answer.path("sound").asBoolean() ? 0 : 1;
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        out.println("version %s: %s: %s tensors of %s bytes, layout of the head: %s".formatted(text(answer, "version"),
                answer.path("sound").asBoolean() ? "sound" : "DIFFERENT", text(answer, "tensors"), text(answer, "bytes"),
                text(answer, "derived")));
        answer.path("different").forEach(tensor -> out.println("different: " + tensor.asText()));
    }
}
