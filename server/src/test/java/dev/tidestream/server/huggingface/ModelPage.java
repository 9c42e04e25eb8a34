package dev.tidestream.server.huggingface;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import dev.tidestream.model.architecture.Architecture;
import dev.tidestream.model.architecture.family.Architectures;
import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.quantisation.WeightFormats;

/**
 * Writes the tables of docs/models.md: families and formats as the code has them, and what was measured on the golden models. Run it from
 * the IDE, or with the class path of this module's tests:
 *
 * <pre>{@code
 * mvn -Dtest=GoldenModelsTest -Dtidestream.models.data=$PWD/docs/charts/models.jsonl test -pl server -am
 * java -cp ... dev.tidestream.server.huggingface.ModelPage docs/charts/models.jsonl docs/models.md
 * }</pre>
 */
final class ModelPage {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern PLACE = Pattern.compile("(<!-- table of (\\w+)[^\n]*-->\n).*?(<!-- end of table -->)", Pattern.DOTALL);

    private final List<JsonNode> rows;

    private ModelPage(List<JsonNode> rows) {
        this.rows = rows;
    }

    /** Arguments: the lines that were measured, and the page. */
    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("usage: ModelPage FILE.jsonl FILE.md");
            System.exit(2);
        }
        Path page = Path.of(args[1]);
        Files.writeString(page, write(Files.readString(page), Files.readAllLines(Path.of(args[0]))));
    }

    /** The page with the tables of these lines in their places. */
    static String write(String page, List<String> lines) throws IOException {
        List<JsonNode> rows = new ArrayList<>();
        for (String line : lines) {
            rows.add(JSON.readTree(line));
        }
        ModelPage tables = new ModelPage(rows);
        Matcher place = PLACE.matcher(page);
        StringBuilder out = new StringBuilder();
        int from = 0;
        while (place.find()) {
            out.append(page, from, place.end(1)).append(tables.table(place.group(2)));
            from = place.start(3);
        }
        return out.append(page.substring(from)).toString();
    }

    private String table(String name) {
        return switch (name) {
            case "families" -> families();
            case "formats" -> formats();
            case "measurements" -> measurements();
            default -> throw new IllegalArgumentException("no such table: " + name);
        };
    }

    private static String table(List<String> heads, List<List<String>> rows) {
        return Stream.concat(Stream.of(heads, heads.stream().map(_ -> "---").toList()), rows.stream())
                .map(cells -> "| " + String.join(" | ", cells) + " |\n").collect(Collectors.joining());
    }

    private String families() {
        List<List<String>> lines = new ArrayList<>();
        for (Architecture architecture : Architectures.known()) {
            String name = architecture.name();
            List<JsonNode> golden = rows.stream().filter(row -> row.get("architecture").asText().equals(name)).toList();
            String folders = Family.known().stream().filter(family -> architectures(family).contains(name))
                    .map(family -> "`%s`".formatted(family.modelClass())).collect(Collectors.joining(", "));
            Map<String, Long> others = golden.stream().collect(Collectors.groupingBy(
                    row -> row.get("with").asText(), LinkedHashMap::new, Collectors.counting()));
            String checked = others.entrySet().stream().map(entry -> "%s (%d)".formatted(entry.getKey(), entry.getValue()))
                    .collect(Collectors.joining(", "));
            lines.add(List.of("`%s`".formatted(name), folders.isEmpty() ? "none" : folders,
                    checked.isEmpty() ? "no golden model: our own forward pass in float64" : checked,
                    golden.stream().map(row -> row.get("floats").asDouble()).max(Comparator.naturalOrder())
                            .map(ModelPage::number).orElse("")));
        }
        return table(List.of("GGUF architecture", "folders of", "logits compared with those of (files)",
                "largest difference, floats"), lines);
    }

    /** Those of a folder that says nothing, or another activation function: BitNet's depends on it. */
    private static List<String> architectures(Family family) {
        return Stream.of(JSON.createObjectNode(), JSON.createObjectNode().put("hidden_act", "silu"))
                .map(config -> family.ggufName().apply(new ConfigObject("", config))).distinct().toList();
    }

    private String formats() {
        List<List<String>> lines = new ArrayList<>();
        for (TensorFormat format : TensorFormat.values()) {
            long files = rows.stream().filter(row -> List.of(row.get("types").asText().split("[ ,]+")).contains(format.name())).count();
            String held = format.quantised() && !format.quants().panelsOf().isEmpty() ? format.quants().panelsOf() : "itself";
            lines.add(List.of(format.name(), String.format(Locale.ROOT, "%.4g", 8.0 * format.blockBytes() / format.blockElements()),
                    String.valueOf(format.blockElements()), held, WeightFormats.choices().contains(format) ? "yes" : "no",
                    files == 0 ? "" : String.valueOf(files)));
        }
        return table(List.of("format", "bits per weight", "block", "held as", "`--weights`, `convert --to`",
                "golden files with it"), lines);
    }

    private String measurements() {
        Map<String, List<JsonNode>> same = rows.stream().collect(Collectors.groupingBy(
                row -> row.get("model").asText() + "|" + (isFolder(row) ? "" : row.get("file").asText()), LinkedHashMap::new,
                Collectors.toList()));
        List<List<String>> lines = new ArrayList<>();
        same.values().forEach(each -> {
            JsonNode row = each.getFirst();
            String file = isFolder(row) ? "folder, " + each.stream().map(one -> one.get("file").asText().substring("hf, ".length()))
                    .collect(Collectors.toCollection(TreeSet::new)).stream().map("`%s`"::formatted).collect(Collectors.joining(" and "))
                    : "`%s`".formatted(row.get("file").asText());
            lines.add(List.of(row.get("model").asText(), file, row.get("types").asText(), row.get("with").asText(),
                    largest(each, "floats"), largest(each, "codes"),
                    "%d of %d".formatted(row.get("greedy").asInt(), row.get("steps").asInt())));
        });
        return table(List.of("model", "file", "tensors", "compared with", "float activations", "int8 activations",
                "greedy tokens equal"), lines);
    }

    private static boolean isFolder(JsonNode row) {
        return row.get("file").asText().startsWith("hf, ");
    }

    private static String largest(List<JsonNode> rows, String field) {
        return number(rows.stream().mapToDouble(row -> row.get(field).asDouble()).max().orElseThrow());
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1e", value);
    }
}
