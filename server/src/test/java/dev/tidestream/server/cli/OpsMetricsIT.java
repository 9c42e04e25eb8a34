package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.cli.admin.AdminClient;
import dev.tidestream.server.cli.admin.AdminFailedException;
import dev.tidestream.server.metrics.PrometheusPage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Alerts and dashboard of {@code docs/ops} ask for metrics, labels and values that a server has; its probes are answered. */
class OpsMetricsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    /** Prometheus' own. */
    private static final Set<String> OF_PROMETHEUS = Set.of("up");
    private static final Set<String> LABELS_OF_PROMETHEUS = Set.of("instance", "job", "le");
    private static final Pattern GROUPING = Pattern.compile("\\b(?:by|without|on|ignoring)\\s*\\(([^)]*)\\)");
    private static final Set<String> WORDS = Set.of("and", "or", "unless", "bool", "offset");

    @TempDir
    Path temp;

    /** Labels of a series with the values that were seen, by the names under which its samples stand on the page. */
    private final Map<String, Map<String, Set<String>>> known = new HashMap<>();

    @Test
    void shouldAskForWhatThereIs() throws Exception {
        Path keys = temp.resolve("api-keys");
        String key = Run.of("keys", "add", "alice", "--file", keys.toString()).out().lines()
                .filter(line -> line.matches("\\S{30,}")).findFirst().orElseThrow();
        try (StartedServer server = new StartedServer(temp, "--api-keys", keys.toString(), "--key-metrics")) {
            server.serving.warmUp();
            requireAlarmingSeries(PrometheusPage.parse(get(server, "/metrics").body()));
            use(server, key);
            learn(PrometheusPage.parse(get(server, "/metrics").body()));
            probes(server);
        }
        addCodes();
        Map<String, String> wrong = new TreeMap<>();
        for (OpsFiles.Expression expression : OpsFiles.expressions()) {
            String fault = check(expression);
            if (!fault.isEmpty()) {
                wrong.put(expression.where() + ": " + expression.promQl(), fault);
            }
        }
        assertEquals(Map.of(), wrong);
        assertFalse(check(new OpsFiles.Expression("", "tidestream_no_such_metric > 1", "")).isEmpty(), "it must find what is wrong");
        assertFalse(check(new OpsFiles.Expression("", "tidestream_streams_ended_total{reason=\"stop\"}", "")).isEmpty());
        assertFalse(check(new OpsFiles.Expression("", "tidestream_streams_ended_total{outcome=\"stopped\"}", "")).isEmpty());
        assertFalse(check(new OpsFiles.Expression("", "sum by (outcome) (tidestream_engine_steps_total)", "")).isEmpty());
    }

    /** What an alert takes the increase of must be there before: the first fault of a series that begins with it is no increase. */
    private static void requireAlarmingSeries(PrometheusPage page) throws IOException {
        Pattern increase = Pattern.compile("increase\\((" + NAME + ")(?:\\{(\\w+)=~?\"([^\"]*)\"})?\\[");
        Set<String> missing = new TreeSet<>();
        int found = 0;
        for (JsonNode alert : OpsFiles.alerts()) {
            Matcher series = increase.matcher(alert.path("expr").asText());
            while (series.find()) {
                found++;
                String name = series.group(1);
                Arrays.stream(series.group(2) == null ? new String[] {name} : series.group(3).split("\\|"))
                        .map(value -> value.equals(name) ? name : "%s{%s=\"%s\"}".formatted(name, series.group(2), value))
                        .filter(sample -> !page.samples().containsKey(sample)).forEach(missing::add);
            }
        }
        assertEquals(4, found, "alerts that ask for an increase");
        assertEquals(Set.of(), missing);
    }

    /** So that series are there which begin with what they count. */
    private static void use(StartedServer server, String key) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri(server, "/v1/completions")).timeout(PATIENCE)
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\": \"Once\", \"max_tokens\": 2}")).build();
        try (HttpClient http = HttpClient.newHttpClient(); AdminClient admin = server.admin()) {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertEquals(200, answer.statusCode(), answer.body());
            assertThrows(AdminFailedException.class, () -> admin.call(new AdminRequest.WeightsRollback("1", 99), progress -> {}));
        }
    }

    private static void probes(StartedServer server) throws Exception {
        JsonNode container = OpsFiles.container();
        for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
            String path = container.path(probe).at("/httpGet/path").asText();
            assertEquals(200, get(server, path).statusCode(), probe + ": " + path);
        }
        assertEquals("/metrics", OpsFiles.manifest("StatefulSet").at("/spec/template/metadata/annotations/prometheus.io~1path").asText());
    }

    private static URI uri(StartedServer server, String path) {
        return URI.create("http://127.0.0.1:%d%s".formatted(server.port(), path));
    }

    private static HttpResponse<String> get(StartedServer server, String path) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(uri(server, path)).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private void learn(PrometheusPage page) {
        page.types().forEach((name, type) -> {
            List<String> suffixes = switch (type) {
                case "histogram" -> List.of("_bucket", "_count", "_sum");
                case "summary" -> List.of("", "_count", "_sum");
                default -> List.of("");
            };
            suffixes.forEach(suffix -> known.put(name + suffix, new HashMap<>()));
        });
        for (String sample : page.samples().keySet()) {
            String name = sample.replaceFirst("\\{.*", "");
            Matcher label = Pattern.compile("(" + NAME + ")=\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(sample.substring(name.length()));
            while (label.find()) {
                labels(name).computeIfAbsent(label.group(1), _ -> new TreeSet<>()).add(label.group(2));
            }
        }
    }

    private Map<String, Set<String>> labels(String metric) {
        return Objects.requireNonNull(known.get(metric), metric);
    }

    /** Values that cannot all have been seen are those of the protocol. */
    private void addCodes() {
        Set<String> outcomes = Objects.requireNonNull(labels("tidestream_streams_ended_total").get("outcome"));
        outcomes.addAll(List.of("stop", "length", "cancelled", "left"));
        Arrays.stream(ErrorCode.values()).map(ErrorCode::wireName).forEach(outcomes::add);
        Set<String> codes = Objects.requireNonNull(labels("tidestream_weights_updates_refused_total").get("code"));
        Arrays.stream(AdminErrorCode.values()).map(AdminErrorCode::wireName).forEach(codes::add);
    }

    /** What is wrong with an expression; empty if nothing is. */
    private String check(OpsFiles.Expression expression) {
        String query = expression.promQl();
        Set<String> metrics = new TreeSet<>();
        Set<String> labels = new TreeSet<>();
        StringBuilder fault = new StringBuilder(query.isBlank() ? "empty" : "");
        Matcher selector = Pattern.compile("(" + NAME + ")\\{([^}]*)}").matcher(query);
        while (selector.find()) {
            fault.append(checkMatchers(selector.group(1), selector.group(2)));
        }
        Matcher grouping = GROUPING.matcher(query);
        while (grouping.find()) {
            labels.addAll(List.of(grouping.group(1).split("\\s*,\\s*")));
        }
        String bare = GROUPING.matcher(query.replaceAll("\\{[^}]*}", "").replaceAll("\\[[^\\]]*]", "")).replaceAll("");
        Matcher name = Pattern.compile("(?<![\\w.])" + NAME + "(?![\\w:])(?!\\s*\\()").matcher(bare);
        while (name.find()) {
            if (!WORDS.contains(name.group().toLowerCase(Locale.ROOT))) {
                metrics.add(name.group());
            }
        }
        Matcher text = Pattern.compile("\\{\\{\\s*(?:\\$labels\\.)?(\\w+)\\s*}}").matcher(expression.texts());
        while (text.find()) {
            labels.add(text.group(1));
        }
        return fault + checkNames(metrics, labels);
    }

    private String checkNames(Set<String> metrics, Set<String> labels) {
        StringBuilder fault = new StringBuilder(metrics.isEmpty() ? "no metric " : "");
        Set<String> there = new TreeSet<>(LABELS_OF_PROMETHEUS);
        for (String metric : metrics) {
            if (known.containsKey(metric)) {
                there.addAll(known.get(metric).keySet());
            } else if (!OF_PROMETHEUS.contains(metric)) {
                fault.append("no metric ").append(metric).append("; ");
            }
        }
        labels.stream().filter(label -> !there.contains(label)).forEach(label -> fault.append("no label ").append(label).append("; "));
        return fault.toString();
    }

    private String checkMatchers(String metric, String matchers) {
        StringBuilder fault = new StringBuilder();
        Matcher matcher = Pattern.compile("(" + NAME + ")\\s*(=~|!~|!=|=)\\s*\"([^\"]*)\"").matcher(matchers);
        while (matcher.find()) {
            String label = matcher.group(1);
            if (LABELS_OF_PROMETHEUS.contains(label)) {
                continue;
            }
            Set<String> values = known.getOrDefault(metric, Map.of()).get(label);
            if (values == null) {
                fault.append("no label ").append(label).append("; ");
            } else {
                Arrays.stream(matcher.group(3).split("\\|")).filter(value -> !values.contains(value))
                        .forEach(value -> fault.append("no value ").append(value).append(" among ").append(values).append("; "));
            }
        }
        return fault.toString();
    }
}
