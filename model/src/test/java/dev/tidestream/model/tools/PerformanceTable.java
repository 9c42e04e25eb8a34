package dev.tidestream.model.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes the table of the performance page from measured figures, so that nobody copies numbers by hand. Needs a JDK and nothing else:
 *
 * <pre>{@code
 * java model/src/test/java/dev/tidestream/model/tools/PerformanceTable.java in=docs/charts/goals.jsonl page=docs/performance.md
 * }</pre>
 *
 * <p>A line of {@code in} is one test on one machine:
 * {@code {"machine":"AVX2","date":"2026-11-30","commit":"1dfff2b","test":"decode, Q4_0","llama.cpp":28.9,"tidestream":32.9,"wanted":1.10}};
 * speeds are tokens/s, {@code wanted} is the least ratio. The table stands between two comments of the page.
 */
final class PerformanceTable {
    private static final Pattern FIELD = Pattern.compile("\"([^\"]+)\"\\s*:\\s*(?:\"([^\"]*)\"|([0-9.]+))");
    private static final Pattern PLACE = Pattern.compile("(<!-- table of [^\n]*-->\n).*?(<!-- end of table -->)", Pattern.DOTALL);

    private PerformanceTable() {}

    /** Arguments: {@code in=FILE.jsonl page=FILE.md}. */
    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            options.put(parts[0], parts.length == 2 ? parts[1] : "");
        }
        if (!options.keySet().equals(Set.of("in", "page"))) {
            System.err.println("usage: PerformanceTable.java in=FILE.jsonl page=FILE.md");
            System.exit(2);
        }
        Path page = Path.of(options.get("page"));
        Files.writeString(page, write(Files.readString(page), Files.readAllLines(Path.of(options.get("in")))));
    }

    /** The page with the table of these lines in its place. */
    static String write(String page, List<String> lines) {
        Matcher place = PLACE.matcher(page);
        if (!place.find()) {
            throw new IllegalArgumentException("the page has no comments that begin and end the table");
        }
        return page.substring(0, place.end(1)) + table(lines) + page.substring(place.start(2));
    }

    private static String table(List<String> lines) {
        Set<String> machines = new LinkedHashSet<>();
        Map<String, Map<String, Map<String, String>>> tests = new LinkedHashMap<>(); // test, machine, fields
        for (String line : lines) {
            Map<String, String> fields = fields(line);
            machines.add(machine(fields));
            tests.computeIfAbsent(fields.get("test"), test -> new HashMap<>()).put(machine(fields), fields);
        }
        List<String> heads = new ArrayList<>(List.of("tokens/s, llama.cpp / Tidestream", "goal"));
        heads.addAll(machines);
        StringBuilder table = new StringBuilder();
        table.append("| ").append(String.join(" | ", heads)).append(" |\n").append("|---".repeat(heads.size())).append("|\n");
        tests.forEach((test, cells) -> {
            String wanted = cells.values().iterator().next().get("wanted");
            table.append("| %s | %s |".formatted(test, wanted));
            for (String machine : machines) {
                Map<String, String> fields = cells.getOrDefault(machine, Map.of());
                table.append(' ').append(fields.isEmpty() ? "not measured" : cell(fields)).append(" |");
            }
            table.append('\n');
        });
        return table.toString();
    }

    private static String machine(Map<String, String> fields) {
        return "%s, %s, `%s`".formatted(fields.get("machine"), fields.get("date"), fields.get("commit"));
    }

    private static String cell(Map<String, String> fields) {
        double ratio = Double.parseDouble(fields.get("tidestream")) / Double.parseDouble(fields.get("llama.cpp"));
        boolean met = ratio >= Double.parseDouble(fields.get("wanted"));
        String form = met ? "%s / %s, **%.2f**" : "%s / %s, %.2f (missed)";
        return String.format(Locale.ROOT, form, fields.get("llama.cpp"), fields.get("tidestream"), ratio);
    }

    private static Map<String, String> fields(String line) {
        Map<String, String> fields = new HashMap<>();
        Matcher matcher = FIELD.matcher(line);
        while (matcher.find()) {
            fields.put(matcher.group(1), matcher.group(2) == null ? matcher.group(3) : matcher.group(2));
        }
        for (String name : List.of("machine", "date", "commit", "test", "llama.cpp", "tidestream", "wanted")) {
            if (!fields.containsKey(name)) {
                throw new IllegalArgumentException("no %s in the line: %s".formatted(name, line));
            }
        }
        return fields;
    }
}
