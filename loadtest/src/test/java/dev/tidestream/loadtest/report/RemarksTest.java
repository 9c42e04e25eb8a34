package dev.tidestream.loadtest.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.figures.Sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RemarksTest {
    /** Two seconds of warm-up, then ten that are measured, with a sample each quarter of a second. */
    private static List<String> remarks(double firstQuarter, double rest) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 1; i <= 48; i++) {
            double atS = i * 0.25;
            samples.add(new Sample(atS, atS <= 2 ? 1 : atS <= 4.5 ? firstQuarter : rest, 4, 4, 0, 0, 0));
        }
        return Remarks.of(Made.step("tidestream", 4, Made.figures(rest, 40, Made.latency(40, 5)), Map.of(), samples));
    }

    @Test
    void shouldSeeAServerThatIsNotWarmYet() {
        assertEquals(1, remarks(70, 100).size());
        assertTrue(remarks(70, 100).getFirst()
                .startsWith("the first quarter of the measured time had 30 % fewer tokens/s than the rest"),
                remarks(70, 100).toString());
        assertEquals(List.of(), remarks(95, 100));
        assertEquals(List.of(), remarks(150, 100), "a good beginning is none of it");
    }

    @Test
    void shouldShowTheWarmUpInTheTimeline() {
        String html = HtmlReport.of(Made.report(Map.of(), Made.step("tidestream", 4, Made.figures(100, 40, Made.latency(40,
                5)))));
        assertTrue(html.contains("<rect class=\"band warm-up\" x=\"70.0\""), html);
    }

    /** What a server says may be anything; a terminal obeys some of it. */
    @Test
    void shouldNotPassControlCharactersOnToATerminal() {
        RunReport report = new RunReport("made", "", "now", "", Map.of("model", "evil\u001b[2J\nready on ws://elsewhere"),
                Map.of(), List.of(),
                1, List.of("frame \u009b31m"), false, List.of(), "");
        String text = TextReport.of(report);
        assertTrue(text.contains("evil\\u001b[2J\\nready") && text.contains("frame \\u009b31m"), text);
    }
}
