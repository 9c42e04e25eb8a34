package dev.tidestream.server.cli.cluster;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.admin.AdminOptions;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.Table;

/** {@code cluster status}: the nodes, as one of them sees them. */
@Command(
        name = "status",
        description = "Show the nodes of a cluster, as one of them sees them.",
        footer = {
            "",
            "Examples:",
            "  tidestream cluster status --token-file admin.token",
            "  tidestream cluster status --url http://10.0.0.7:8080 --json --token-file admin.token",
        })
final class ClusterStatusCommand implements Callable<Integer> {
    private static final int ERROR_CHARS = 2000;
    private static final int CELL_CHARS = 60;

    @Mixin
    final AdminOptions options = new AdminOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Override
    public Integer call() {
        JsonNode answer;
        try (ClusterClient client = new ClusterClient(options.url(), options.token(), options.timeout())) {
            answer = client.get("");
        } catch (IOException e) {
            throw new CliException(Printable.value(Reasons.message(e), ERROR_CHARS), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
        PrintWriter out = spec.commandLine().getOut();
        if (options.json()) {
            out.println(Printable.line(answer.toString())); // an escape of ours is one of JSON
        } else {
            print(answer, out);
        }
        return 0;
    }

    private static void print(JsonNode answer, PrintWriter out) {
        List<String> reachable = texts(answer.path("reachable_workers"));
        Table table = new Table("NODE", "ROLES", "URL", "", ">RUNNING", ">SLOTS", ">WAITING", ">KV", ">WEIGHTS", ">PUBLISHED");
        for (JsonNode node : answer.path("nodes")) {
            boolean worker = texts(node.path("roles")).contains("worker");
            table.row(text(node, "node"), String.join(",", texts(node.path("roles"))), text(node, "url"),
                    !worker ? "-" : node.path("draining").asBoolean() ? "drains"
                            : reachable.contains(node.path("node").asText()) ? "up" : "unreachable",
                    worker ? text(node, "running") : "-", worker ? text(node, "slots") : "-", worker ? text(node, "waiting") : "-",
                    worker ? String.format(Locale.ROOT, "%.0f %%", 100 * node.path("kv_use").asDouble()) : "-",
                    worker ? text(node, "applied_version") : "-", worker ? text(node, "published_version") : "-");
        }
        table.print(out);
        JsonNode log = answer.path("log");
        if (log.isObject()) {
            out.printf(Locale.ROOT, "log: leader %s, keepers %s, version %d agreed on, %d published%n", text(log, "leader"),
                    String.join(", ", texts(log.path("keepers"))), log.path("committed_version").asLong(), log.path("published_version").asLong());
        }
        JsonNode relayed = answer.path("relayed");
        out.printf(Locale.ROOT, "seen from %s: %d streams relayed, %d failovers, %d moved, %d given up%n", text(answer, "node"),
                relayed.path("running").asLong(), relayed.path("failovers").asLong(), relayed.path("moved").asLong(),
                relayed.path("given_up").asLong());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(item -> texts.add(Printable.value(item.asText(), CELL_CHARS)));
        return texts;
    }

    private static String text(JsonNode object, String name) {
        return Printable.value(object.path(name).asText("-"), CELL_CHARS);
    }
}
