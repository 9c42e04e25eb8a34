package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** What {@code docs/ops} has for operators, read strictly: duplicate keys are errors. */
final class OpsFiles {
    private static final Path FOLDER = LauncherCheckout.repository().resolve("docs/ops");

    /** An expression in PromQL, and the names of labels that texts beside it use. */
    record Expression(String where, String promQl, String texts) {}

    private OpsFiles() {}

    static String text(String name) throws IOException {
        return Files.readString(FOLDER.resolve(name));
    }

    /** The documents of a YAML file, as JSON. */
    static List<JsonNode> yaml(String text) {
        List<JsonNode> documents = new ArrayList<>();
        new Load(LoadSettings.builder().setAllowDuplicateKeys(false).build()).loadAllFromString(text)
                .forEach(document -> documents.add(new ObjectMapper().valueToTree(document)));
        return documents;
    }

    static JsonNode rules() throws IOException {
        return yaml(text("tidestream.rules.yaml")).getFirst();
    }

    static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        rules().path("groups").forEach(group -> group.path("rules").forEach(alerts::add));
        return alerts;
    }

    static JsonNode dashboard() throws IOException {
        return new ObjectMapper().readTree(text("grafana-dashboard.json"));
    }

    /** All documents of the manifest, by kind. */
    static JsonNode manifest(String kind) throws IOException {
        return yaml(text("kubernetes.yaml")).stream().filter(document -> document.path("kind").asText().equals(kind)).findFirst()
                .orElseThrow(() -> new AssertionError("no " + kind));
    }

    static JsonNode container() throws IOException {
        return manifest("StatefulSet").at("/spec/template/spec/containers/0");
    }

    /** Every expression of alerts and dashboard. */
    static List<Expression> expressions() throws IOException {
        List<Expression> all = new ArrayList<>();
        for (JsonNode alert : alerts()) {
            all.add(new Expression(
                    alert.path("alert").asText(), alert.path("expr").asText(), alert.path("annotations").path("summary").asText()));
        }
        JsonNode dashboard = dashboard();
        for (JsonNode panel : dashboard.path("panels")) {
            for (JsonNode target : panel.path("targets")) {
                all.add(new Expression(panel.path("title").asText(), target.path("expr").asText(), target.path("legendFormat").asText()));
            }
        }
        for (JsonNode annotation : dashboard.at("/annotations/list")) {
            all.add(new Expression(
                    annotation.path("name").asText(), annotation.path("expr").asText(), annotation.path("textFormat").asText()));
        }
        for (JsonNode variable : dashboard.at("/templating/list")) {
            if (variable.path("type").asText().equals("query")) {
                String query = variable.path("query").path("query").asText();
                all.add(new Expression(variable.path("name").asText(), query.replaceAll("label_values\\((\\w+), \\w+\\)", "$1"), ""));
            }
        }
        return all;
    }

    /** The settings of a unit of systemd, in order; lines that end in a backslash go on. */
    static List<Map.Entry<String, String>> unit() throws IOException {
        return text("tidestream.service").replace("\\\n", " ").lines().map(String::strip)
                .filter(line -> !line.startsWith("#") && line.contains("="))
                .map(line -> Map.entry(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1))).toList();
    }

    static List<String> unit(String name) throws IOException {
        return unit().stream().filter(setting -> setting.getKey().equals(name)).map(Map.Entry::getValue).toList();
    }

    static Stream<String> words(JsonNode array) {
        List<String> words = new ArrayList<>();
        array.forEach(word -> words.add(word.asText()));
        return words.stream();
    }
}
