package dev.tidestream.server.cli.weights;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.cli.admin.AdminProgress;
import dev.tidestream.server.cli.terminal.JsonText;
import dev.tidestream.server.cli.terminal.Table;

/** {@code weights canary}: a share of new streams begins with a held version. */
@Command(
        name = "canary",
        description = "Have a share of new streams begin with a held version; without a version, show how that goes.",
        footer = {
            "",
            "A canary ends by itself if its version makes logits that are not finite, or breaks a bound that is given",
            "here. Exit code 1 if one that is shown has ended so.",
            "",
            "Examples:",
            "  tidestream weights canary 8 --share 0.2 --max-logprob-drop 0.5 --token-file admin.token",
            "  tidestream weights canary --token-file admin.token",
            "  tidestream weights canary --promote --token-file admin.token",
        })
final class WeightsCanaryCommand extends WeightsCall {
    @Parameters(arity = "0..1", paramLabel = "VERSION", description = "The version to begin with.")
    private @Nullable Long version;

    @Option(names = "--share", paramLabel = "SHARE", description = "Of new streams, above 0, at most 1.")
    private @Nullable Double share;

    @Option(names = "--by", paramLabel = "WHAT", defaultValue = "seed",
            description = "What decides whether a stream belongs to it: seed, or key (default: ${DEFAULT-VALUE}).")
    private CanarySpec.By by = CanarySpec.By.SEED;

    @Option(names = "--min-tokens", paramLabel = "N", description = "Tokens before a mean of them counts (default: 200).")
    private @Nullable Integer minTokens;

    @Option(names = "--min-streams", paramLabel = "N", description = "Ended streams before their share counts (default: 10).")
    private @Nullable Integer minStreams;

    @Option(names = "--min-mean-logprob", paramLabel = "NATS", description = "Least mean log-probability of the version's tokens.")
    private @Nullable Double minMeanLogprob;

    @Option(names = "--max-logprob-drop", paramLabel = "NATS",
            description = "Most by which it may be below that of the current version's tokens.")
    private @Nullable Double maxLogprobDrop;

    @Option(names = "--max-failed-share", paramLabel = "SHARE", description = "Most of the version's streams that may fail.")
    private @Nullable Double maxFailedShare;

    @Option(names = "--max-kl", paramLabel = "NATS",
            description = "Most mean divergence of its logits from those of live streams; needs a shadow of the version.")
    private @Nullable Double maxKl;

    @Option(names = "--promote", fallbackValue = "true", description = "Publish the version of the canary that runs.")
    private boolean promote;

    @Option(names = "--end", fallbackValue = "true", description = "End the canary that runs.")
    private boolean end;

    @Override
    JsonNode ask(WeightsClient client, AdminProgress progress) throws IOException, InterruptedException {
        int asked = (version == null ? 0 : 1) + (promote ? 1 : 0) + (end ? 1 : 0);
        if (asked > 1 || (version == null) != (share == null)) {
            throw new ParameterException(spec.commandLine(), "a version and its --share, or --promote, or --end, or nothing to see how it goes");
        }
        if (promote) {
            return client.post("canary/promote", null);
        }
        if (end) {
            return client.delete("canary");
        }
        return version == null ? client.get("canary") : client.post("canary", body(version, share));
    }

    private String body(long begun, @Nullable Double of) {
        Map<String, @Nullable Number> rule = new LinkedHashMap<>();
        rule.put("min_tokens", minTokens);
        rule.put("min_streams", minStreams);
        rule.put("min_mean_logprob", minMeanLogprob);
        rule.put("max_logprob_drop", maxLogprobDrop);
        rule.put("max_failed_share", maxFailedShare);
        rule.put("max_kl", maxKl);
        return JsonText.object(json -> {
            json.writeNumberField("version", begun);
            json.writeNumberField("share", of == null ? 0 : of);
            json.writeStringField("by", by.name().toLowerCase(Locale.ROOT));
            json.writeObjectFieldStart("rule");
            for (Map.Entry<String, @Nullable Number> bound : rule.entrySet()) {
                Number value = bound.getValue();
                if (value instanceof Integer count) {
                    json.writeNumberField(bound.getKey(), count);
                } else if (value != null) {
                    json.writeNumberField(bound.getKey(), value.doubleValue());
                }
            }
            json.writeEndObject();
        });
    }

    @Override
    int code(JsonNode answer) {
        return answer.has("reason") && endedByRule(answer) ? 1 : 0;
    }

    private static String end(JsonNode answer) {
        String detail = answer.path("detail").asText().isEmpty() ? "" : ": " + text(answer, "detail");
        return answer.has("reason") ? ", " + text(answer, "reason") + detail : "";
    }

    private static boolean endedByRule(JsonNode answer) {
        return switch (answer.path("reason").asText()) {
            case "stopped", "promoted", "superseded" -> false;
            default -> true;
        };
    }

    @Override
    void print(JsonNode answer, PrintWriter out) {
        if (answer.has("changed")) {
            out.println("version %s is published".formatted(text(answer, "version")));
            return;
        }
        if (answer.path("state").asText().equals("none")) {
            out.println("no canary has run");
            return;
        }
        out.println("version %s beside %s, %s of new streams by %s: %s%s".formatted(text(answer, "version"), text(answer, "baseline_version"),
                text(answer, "share"), text(answer, "by"), text(answer, "state"),
                end(answer)));
        Table table = new Table("SIDE", ">STREAMS", ">TOKENS", ">MEAN LOGPROB", ">ENDED", ">FAILED", ">NOT FINITE");
        for (String side : new String[] {"canary", "baseline"}) {
            JsonNode of = answer.path(side);
            table.row(side, text(of, "streams"), text(of, "tokens"),
                    of.has("mean_logprob") ? String.format(Locale.ROOT, "%.3f", of.path("mean_logprob").asDouble()) : "-",
                    text(of, "ended_streams"), text(of, "failed_streams"), text(of, "non_finite_rows"));
        }
        table.print(out);
    }
}
