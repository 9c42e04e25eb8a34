package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.report.Knee.Point;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Where more load stops giving more tokens, and levels at which nothing ends. */
class KneeTest {
    /** Levels 1, 2, 4, … with these tokens/s; a negative one stands for a level at which nothing finished. */
    private static List<Point> levels(double... tokensPerS) {
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < tokensPerS.length; i++) {
            int level = 1 << i;
            points.add(new Point("", level + " streams", level,
                    Made.figures(Math.abs(tokensPerS[i]), tokensPerS[i] < 0 ? 0 : 10, Made.latency(10, 5))));
        }
        return points;
    }

    private static String knee(double... tokensPerS) {
        return Knee.of(levels(tokensPerS)).map(Point::load).orElse("none");
    }

    @Test
    void shouldBeTheLowestLevelWithNearlyAllTokens() {
        assertEquals("4 streams", knee(100, 190, 300, 320, 325));
        assertEquals("1 streams", knee(100, 101, 99));
        assertEquals("4 streams", knee(100, 200, 380, 300), "behind it tokens may be lost");
    }

    @Test
    void shouldNotBeKnownWhileTokensGrow() {
        assertEquals("none", knee(100, 200, 400));
        assertEquals("knee: not reached, the highest load still gives more tokens/s", Knee.text("", levels(100, 200, 400)));
        assertEquals("none", knee(100, 100));
        assertEquals("", Knee.text("", levels(100, 100)));
    }

    @Test
    void shouldNotTakeALevelWhereNothingEndsForGood() {
        assertEquals("2 streams", knee(100, 200, 205, -1000));
        assertEquals("none", knee(-1, -1, -1));
        assertEquals("", Knee.text("", levels(-1, -1, -1)));
    }

    @Test
    void shouldBeMarkedInReports() {
        RunReport report = Made.report(Map.of("slo", "none"),
                Made.step("tidestream", 1, Made.figures(100, 40, Made.latency(40, 5))),
                Made.step("tidestream", 2, Made.figures(190, 40, Made.latency(40, 6))),
                Made.step("tidestream", 4, Made.figures(195, 40, Made.latency(40, 20))),
                Made.step("tidestream", 8, Made.figures(900, 0, Made.NOTHING)));
        String html = HtmlReport.of(report);
        assertTrue(html.contains("<tr class=\"knee\"><td>2 streams (knee)</td>"), html);
        assertTrue(html.contains("<circle class=\"highlight\"") && html.contains(">knee: 2 streams</text>"), html);
        assertTrue(TextReport.of(report).contains("knee: 2 streams, the lowest load with 90 % of the most tokens/s"),
                TextReport.of(report));
    }

    /** Its latencies are not 0: there are none. */
    @Test
    void shouldShowALevelAtWhichNothingEndedAsSuch() {
        RunReport report = Made.report(Map.of("slo", "none"),
                Made.step("tidestream", 1, Made.figures(100, 40, Made.latency(40, 5))),
                Made.step("tidestream", 8, Made.figures(900, 0, Made.NOTHING)));
        String html = HtmlReport.of(report);
        assertTrue(html.contains("<td>8 streams</td><td>900.0</td><td>–</td><td class=\"none\">none</td>"
                + "<td>0.00</td><td>–</td><td>–</td>"
                + "<td>–</td><td>–</td>"), html);
        assertTrue(html.contains("Not in the curves of latency, since no request finished: 8 streams"), html);
        assertFalse(html.contains("<title>p50: 900, 0</title>"), "a point in the curve");
        assertTrue(html.contains("<title>tokens/s: 8, 900</title>"), "the tokens have come all the same");
        String text = TextReport.of(report);
        assertTrue(text.lines().anyMatch(line -> line.matches("tidestream +8 streams +900\\.0 +none +- +- +- +-")), text);
        assertTrue(text.contains("WARNING: no request finished: 40 were measured, 0 failed, 0 cancelled, 0 vanished"), text);
    }
}
