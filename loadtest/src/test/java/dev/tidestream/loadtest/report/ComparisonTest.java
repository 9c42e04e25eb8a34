package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.figures.Figure;
import dev.tidestream.loadtest.figures.Figures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What of two runs is called better or worse: what noise does not explain. */
class ComparisonTest {
    private static RunReport run(double tokensPerS, double latencyMs, Map<Figure, Double> noise) {
        Figures figures = Made.figures(tokensPerS, 40, Made.latency(40, latencyMs));
        return Made.report(Map.of("slo", "ttft=1s"), Made.step("tidestream", 4, figures, noise, List.of()));
    }

    private static Map<String, String> remarks(RunReport a, RunReport b) {
        return Comparison.of(a, b).levels().getFirst().rows().stream()
                .collect(Collectors.toMap(Comparison.Row::name, Comparison.Row::remark));
    }

    private static final Map<Figure, Double> QUIET = Map.of(Figure.TOKENS_PER_S, 1.0, Figure.TTFT_P50, 0.1);
    private static final Map<Figure, Double> NOISY = Map.of(Figure.TOKENS_PER_S, 10.0, Figure.TTFT_P50, 3.0);

    @Test
    void shouldJudgeWhatDiffersBeyondNoise() {
        Map<String, String> quiet = remarks(run(100, 10, QUIET), run(110, 12, QUIET));
        assertEquals("better", quiet.get("output tokens/s"));
        assertEquals("worse", quiet.get("TTFT p50, ms"));
        Map<String, String> noisy = remarks(run(100, 10, QUIET), run(110, 12, NOISY));
        assertEquals("within noise", noisy.get("output tokens/s"));
        assertEquals("within noise", noisy.get("TTFT p50, ms"));
    }

    @Test
    void shouldNotJudgeWhatItKnowsNoNoiseOf() {
        Map<String, String> remarks = remarks(run(100, 10, QUIET), run(300, 12, Map.of()));
        assertEquals("noise unknown", remarks.get("output tokens/s"));
        assertEquals("", remarks.get("failed requests"), "the same in both");
    }

    @Test
    void shouldNotJudgeOnABusyMachine() {
        RunReport busy = Made.report(Map.of("slo", "none"), Made.step("tidestream", 4,
                Made.figures(300, 40, Made.latency(40, 30), 0.7), QUIET, List.of()));
        assertEquals("machine was busy", remarks(run(100, 10, QUIET), busy).get("output tokens/s"));
        assertEquals("machine was busy", remarks(busy, run(100, 10, QUIET)).get("TTFT p50, ms"));
        assertTrue(Comparison.text(run(100, 10, QUIET), busy)
                .contains("  B: other processes of this machine used 0.70 cores meanwhile"));
    }

    @Test
    void shouldTakeTwoPerCentForTheSame() {
        assertEquals("", remarks(run(100, 10, QUIET), run(101.9, 10, QUIET)).get("output tokens/s"));
    }

    @Test
    void shouldColourInHtmlWhatItJudgesOnly() {
        String html = HtmlReport.compare(run(100, 10, QUIET), run(110, 10, NOISY));
        assertTrue(html.contains("<td>1.100</td><td class=\"same\">within noise</td>"), html);
        assertFalse(html.contains("class=\"better\""), html);
        assertTrue(HtmlReport.compare(run(100, 10, QUIET), run(110, 10, QUIET)).contains("<td class=\"better\">better</td>"));
    }

    /** A run in which nothing ended has no latency, and no better one. */
    @Test
    void shouldNotCompareWhatIsNotThere() {
        RunReport nothing = Made.report(Map.of("slo", "ttft=1s"),
                Made.step("tidestream", 4, Made.figures(100, 0, Made.NOTHING), QUIET, List.of()));
        String text = Comparison.text(run(100, 10, QUIET), nothing);
        assertTrue(text.lines().anyMatch(line -> line.matches(" +TTFT p50, ms +10\\.000 +- +-")), text);
    }

    @Test
    void shouldSayNothingOfGoodRequestsWithoutAnSlo() {
        RunReport none = Made.report(Map.of("slo", "none"), Made.step("tidestream", 4, Made.figures(100, 40, Made.latency(40,
                5))));
        assertFalse(Comparison.text(none, none).contains("good share"));
        assertFalse(HtmlReport.of(none).contains("goodput"), HtmlReport.of(none));
        assertFalse(TextReport.of(none).contains("SLO"), TextReport.of(none));
        assertTrue(HtmlReport.of(run(100, 10, QUIET)).contains("goodput: requests that met the SLO"));
    }
}
