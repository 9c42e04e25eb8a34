package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;

/** {@code weights shadow}: a version's logits beside those of live streams. */
@Command(
        name = "shadow",
        description = "Compute a version's logits beside those of some live streams; without a version, show what they differ by.",
        footer = {
            "",
            "Examples:",
            "  tidestream weights shadow 8 --share 0.05 --token-file admin.token",
            "  tidestream weights shadow --token-file admin.token",
            "  tidestream weights shadow --end --token-file admin.token",
        })
final class WeightsShadowCommand extends WeightsCall {
    @Parameters(arity = "0..1", paramLabel = "VERSION", description = "The version, held or in memory.")
    private @Nullable Long version;

    @Option(names = "--share", paramLabel = "SHARE", description = "Of live streams, above 0, at most 1.")
    private @Nullable Double share;

    @Option(names = "--end", fallbackValue = "true", description = "End the shadow that runs.")
    private boolean end;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        Long begun = version;
        Double of = share;
        if ((begun == null) != (of == null) || (begun != null && end)) {
            throw new ParameterException(spec.commandLine(), "a version and its --share, or --end, or nothing to see what differs");
        }
        if (end) {
            return client.delete("shadow");
        }
        return begun == null || of == null ? client.get("shadow") : client.post("shadow", JsonText.object(json -> {
            json.writeNumberField("version", begun);
            json.writeNumberField("share", of);
        }));
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        if (answer.path("state").asText().equals("none")) {
            out.println("no shadow has run");
            return;
        }
        out.println("version %s, %s of live streams: %s".formatted(text(answer, "version"), text(answer, "share"), text(answer, "state")));
        out.println("%s rows of %s streams (%s left out), %s not finite; %s ms".formatted(text(answer, "rows"), text(answer, "streams"),
                text(answer, "left_out"), text(answer, "non_finite_rows"), number(answer, "took_ms", "%.0f")));
        out.println("max |delta| %s, KL %s on average and %s at most; another greedy token in %s rows of %s streams".formatted(
                number(answer, "max_delta", "%.4f"), number(answer, "mean_kl", "%.6f"), number(answer, "max_kl", "%.6f"),
                text(answer, "other_tokens"), text(answer, "other_streams")));
        if (!answer.path("first_differences").isEmpty()) {
            Table table = new Table(">STREAM", ">FIRST AT", ">LIVE TOKEN", ">SHADOW TOKEN");
            answer.path("first_differences").forEach(first -> table.row(text(first, "stream"), text(first, "position"),
                    text(first, "live_token"), text(first, "shadow_token")));
            table.print(out);
        }
    }

    private static String number(JsonNode answer, String name, String format) {
        return answer.has(name) ? String.format(Locale.ROOT, format, answer.path(name).asDouble()) : "-";
    }
}
