package dev.tidestream.model.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Draws figures of several engines side by side as an SVG: a group of bars for each test, on a scale of its own. Needs a JDK and
 * nothing
 * else:
 *
 * <pre>{@code
 * java model/src/test/java/dev/tidestream/model/tools/SpeedChart.java in=docs/speed.jsonl out=docs/speed.svg title="Tokens per
 * second"
 * java .../SpeedChart.java bench="tidestream:Q4_0 :bench.jsonl" in=others.jsonl data=docs/speed.jsonl out=docs/speed.svg
 * }</pre>
 *
 * <p>{@code in} has lines {@code {"engine":"llama.cpp","test":"Q4_0 decode","value":58.1,"unit":"tokens/s"}}. {@code bench}
 * takes what
 * {@code tidestream bench --json} printed, as {@code ENGINE:PREFIX:FILE}; its tests are named PREFIX, test, batch. Both may be
 * given more than
 * once. {@code data} writes all lines that were drawn. The first engine is the one that the others are compared with.
 */
final class SpeedChart {
    private static final int WIDTH = 760;
    private static final int LEFT = 190;
    private static final int RIGHT = 150;
    private static final int TOP = 64;
    private static final int LEGEND = 17;
    private static final int BAR = 16;
    private static final int GAP = 14;
    private static final List<String> COLORS = List.of("#1b6ca8", "#d9822b", "#5b8c5a", "#8a5a9e", "#7a7a7a",
            "#b8433f", "#2a9d8f", "#9c6644");
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\"\\s*:\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(-?[0-9.eE+-]+))");

    private final Map<String, Map<String, Figure>> tests = new LinkedHashMap<>(); // test, engine
    private final List<String> engines = new ArrayList<>();

    private record Figure(String engine, String test, double value, String unit) {
        String json() {
            return "{\"engine\":\"%s\",\"test\":\"%s\",\"value\":%s,\"unit\":\"%s\"}".formatted(engine, test, value, unit);
        }
    }

    private SpeedChart() {}

    /** Arguments: {@code name=value}. */
    public static void main(String[] args) throws IOException {
        SpeedChart chart = new SpeedChart();
        Map<String, String> options = new LinkedHashMap<>();
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            switch (parts.length == 2 ? parts[0] : "") {
                case "in" -> chart.read(Path.of(parts[1]));
                case "bench" -> chart.readBench(parts[1]);
                case "out", "data", "title" -> options.put(parts[0], parts[1]);
                default -> fail("usage: SpeedChart.java [in=FILE.jsonl] [bench=ENGINE:PREFIX:FILE.jsonl] out=FILE.svg"
                        + " [data=FILE.jsonl] [title=TEXT]");
            }
        }
        if (chart.tests.isEmpty() || !options.containsKey("out")) {
            fail("no figures, or no out=FILE.svg: figures=" + chart.tests.size());
        }
        Files.writeString(Path.of(options.get("out")), chart.svg(options.getOrDefault("title", "Speed")));
        if (options.containsKey("data")) {
            Files.write(Path.of(options.get("data")),
                    chart.tests.values().stream().flatMap(test -> test.values().stream()).map(Figure::json).toList());
        }
    }

    private static void fail(String message) {
        System.err.println(message);
        System.exit(2);
    }

    private void read(Path file) throws IOException {
        for (Map<String, String> line : lines(file)) {
            add(new Figure(
                    field(line, "engine"), field(line, "test"), Double.parseDouble(field(line, "value")), field(line, "unit")));
        }
    }

    private static String field(Map<String, String> line, String name) {
        String value = line.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no %s in the line: %s".formatted(name, line));
        }
        return value;
    }

    private void readBench(String option) throws IOException {
        String[] parts = option.split(":", 3);
        if (parts.length != 3) {
            fail("bench must be ENGINE:PREFIX:FILE: " + option);
        }
        for (Map<String, String> line : lines(Path.of(parts[2]))) {
            String test = "%s%s, batch %s".formatted(parts[1], line.get("test"), line.get("batch"));
            add(new Figure(parts[0], test, Double.parseDouble(line.get("tokens_per_s")), "tokens/s"));
        }
    }

    private static List<Map<String, String>> lines(Path file) throws IOException {
        List<Map<String, String>> lines = new ArrayList<>();
        for (String text : Files.readAllLines(file)) {
            Map<String, String> fields = new LinkedHashMap<>();
            Matcher matcher = FIELD.matcher(text);
            while (matcher.find()) {
                fields.put(matcher.group(1), matcher.group(2) == null ? matcher.group(3) : matcher.group(2));
            }
            if (!fields.isEmpty()) {
                lines.add(fields);
            }
        }
        return lines;
    }

    private void add(Figure figure) {
        if (figure.engine() == null || figure.test() == null || !(figure.value() >= 0)) {
            fail("a line needs engine, test and value: " + figure);
        }
        tests.computeIfAbsent(figure.test(), test -> new LinkedHashMap<>()).put(figure.engine(), figure);
        if (!engines.contains(figure.engine())) {
            engines.add(figure.engine());
        }
    }

    private String svg(String title) {
        int legend = engines.stream().mapToInt(engine -> 34 + 7 * engine.length()).sum() / (WIDTH / 2) * LEGEND; // at most
        int height = TOP + legend + tests.values().stream().mapToInt(test -> test.size() * BAR + GAP).sum() + 4;
        StringBuilder svg = new StringBuilder();
        append(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\""
                + " font-size=\"12\" role=\"img\" aria-label=\"%s\">%n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>%n",
                WIDTH, height, escape(title), WIDTH, height);
        append(svg, "<text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">%s</text>%n", escape(title));
        int x = 12;
        int line = 46;
        for (String engine : engines) {
            int width = 34 + 7 * engine.length();
            if (x + width > WIDTH) {
                x = 12;
                line += LEGEND;
            }
            append(svg, "<rect x=\"%d\" y=\"%d\" width=\"11\" height=\"11\" fill=\"%s\"/><text x=\"%d\" y=\"%d\">%s</text>%n",
                    x, line - 10, color(engine), x + 16, line, escape(engine));
            x += width;
        }
        append(svg, "<text x=\"%d\" y=\"22\" text-anchor=\"end\" fill=\"#666\">each test on a scale of its own</text>%n",
                WIDTH - 12);
        int y = line + 18;
        for (Map.Entry<String, Map<String, Figure>> test : tests.entrySet()) {
            y = group(svg, test.getKey(), test.getValue(), y);
        }
        return svg.append("</svg>\n").toString();
    }

    private int group(StringBuilder svg, String test, Map<String, Figure> figures, int top) {
        double largest = figures.values().stream().mapToDouble(Figure::value).max().orElse(0);
        append(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>%n",
                LEFT - 8, top + figures.size() * BAR / 2 + 4, escape(test));
        Figure first = figures.get(engines.getFirst());
        int y = top;
        for (String engine : engines) {
            Figure figure = figures.get(engine);
            if (figure == null) {
                continue;
            }
            double width = largest == 0 ? 0 : (WIDTH - LEFT - RIGHT) * figure.value() / largest;
            append(svg, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>%s, %s: %s %s</title></rect>%n",
                    LEFT, y, Math.max(1, width), BAR - 2, color(engine), escape(engine), escape(test), number(figure.value()),
                    escape(figure.unit()));
            String ratio = first == null || figure.equals(first) || first.value() == 0
                    ? "" : String.format(Locale.ROOT, " (%.2f×)", figure.value() / first.value());
            append(svg, "<text x=\"%.1f\" y=\"%d\" font-size=\"11\">%s %s%s</text>%n", LEFT + width + 5, y + BAR - 5,
                    number(figure.value()), escape(figure.unit()), ratio);
            y += BAR;
        }
        return y + GAP;
    }

    private String color(String engine) {
        return COLORS.get(engines.indexOf(engine) % COLORS.size());
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
    }

    private static String escape(String text) {
        return text == null ? "" : text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    @SuppressWarnings("AnnotateFormatMethod") // run from source, without annotations of others
    private static void append(StringBuilder svg, String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values));
    }
}
