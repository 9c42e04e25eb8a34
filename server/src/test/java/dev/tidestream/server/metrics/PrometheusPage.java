package dev.tidestream.server.metrics;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A page in the Prometheus text format 0.0.4, read strictly: each family once, HELP and TYPE before its samples, samples named as
 * their type demands, no sample twice, buckets cumulative and ending in +Inf, no NaN.
 *
 * @param types of the families, by name
 * @param samples by name and labels as they stand in the page
 */
public record PrometheusPage(Map<String, String> types, Map<String, Double> samples) {
    private static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    private static final String LABEL = "[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"";
    private static final Pattern HELP = Pattern.compile("# HELP (" + NAME + ") (.+)");
    private static final Pattern TYPE = Pattern.compile("# TYPE (" + NAME + ") (counter|gauge|histogram|summary)");
    private static final Pattern SAMPLE = Pattern.compile("(" + NAME + ")(\\{" + LABEL + "(?:," + LABEL + ")*,?\\})? (\\S+)");
    private static final Pattern LE = Pattern.compile(",?le=\"([^\"]+)\"");

    /** Fails on a page that is not of the format. */
    public static PrometheusPage parse(String text) {
        assertTrue(text.endsWith("\n"), "the page must end in a line feed");
        PrometheusPage page = new PrometheusPage(new LinkedHashMap<>(), new LinkedHashMap<>());
        String family = "";
        String help = "";
        Map<String, double[]> buckets = new LinkedHashMap<>(); // last bound and count, by labels without le
        Set<String> closed = new HashSet<>();
        for (String line : text.lines().toList()) {
            Matcher matcher = HELP.matcher(line);
            if (matcher.matches()) {
                help = matcher.group(1);
                continue;
            }
            matcher = TYPE.matcher(line);
            if (matcher.matches()) {
                family = matcher.group(1);
                assertEquals(help, family, "HELP must come before TYPE");
                assertNull(page.types.put(family, matcher.group(2)), "family twice: " + line);
                continue;
            }
            matcher = SAMPLE.matcher(line);
            assertTrue(matcher.matches(), "no line of the format: " + line);
            String labels = matcher.group(2) == null ? "" : matcher.group(2);
            double value = number(matcher.group(3));
            assertFalse(Double.isNaN(value), line);
            assertNull(page.samples.put(matcher.group(1) + labels, value), "sample twice: " + line);
            page.checkName(family, matcher.group(1), line);
            if (matcher.group(1).equals(family + "_bucket")) {
                checkBucket(family, labels, value, buckets, closed, line);
            }
        }
        assertEquals(buckets.keySet(), closed, "a histogram must end in +Inf");
        buckets.forEach((series, last) -> {
            String labels = series.substring(series.indexOf('{')).replace("{}", "");
            String count = series.substring(0, series.indexOf('{')) + "_count" + labels;
            assertEquals(last[1], page.samples.get(count), count);
        });
        return page;
    }

    private void checkName(String family, String name, String line) {
        String type = types.get(family);
        assertNotNull(type, "no TYPE before " + line);
        Set<String> allowed = switch (type) {
            case "counter", "gauge" -> Set.of(family);
            case "summary" -> Set.of(family, family + "_count", family + "_sum");
            default -> Set.of(family + "_bucket", family + "_count", family + "_sum");
        };
        assertTrue(allowed.contains(name), "not of family " + family + ": " + line);
        assertTrue(!type.equals("counter") || name.endsWith("_total"), line);
    }

    private static void checkBucket(
            String family, String labels, double count, Map<String, double[]> buckets, Set<String> closed, String line) {
        Matcher le = LE.matcher(labels);
        assertTrue(le.find(), "no le: " + line);
        double bound = number(le.group(1));
        String series = family + labels.replace(le.group(), "").replace("{,", "{");
        double[] last = buckets.getOrDefault(series, new double[] {Double.NEGATIVE_INFINITY, 0});
        assertTrue(bound > last[0], "bounds must rise: " + line);
        assertTrue(count >= last[1], "counts must not fall: " + line);
        buckets.put(series, new double[] {bound, count});
        if (bound == Double.POSITIVE_INFINITY) {
            assertTrue(closed.add(series), line);
        }
    }

    private static double number(String text) {
        return switch (text) {
            case "+Inf" -> Double.POSITIVE_INFINITY;
            case "-Inf" -> Double.NEGATIVE_INFINITY;
            default -> Double.parseDouble(text);
        };
    }

    /** The value of a sample, written as in the page. */
    public double value(String sample) {
        Double value = samples.get(sample);
        assertNotNull(value, () -> "no " + sample + " among " + samples.keySet());
        return value;
    }
}
