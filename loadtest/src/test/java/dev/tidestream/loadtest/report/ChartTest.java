package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ChartTest {
    private static List<String> ticks(String svg, String anchor) {
        Matcher tick = Pattern.compile("<text class=\"tick\"[^>]*text-anchor=\"" + anchor + "\">([^<]*)").matcher(svg);
        return tick.results().map(match -> String.valueOf(match.group(1))).toList();
    }

    private static Chart chart(double... ys) {
        Chart chart = new Chart("c", "t", "x", "y", Chart.Scale.LINEAR);
        for (int i = 0; i < ys.length; i++) {
            chart.line("line " + i, List.of(new double[] {0, 0}, new double[] {7.9, ys[i]}));
        }
        return chart;
    }

    @Test
    void shouldHaveRoundNumbersAtItsAxes() {
        assertEquals(List.of("0", "1", "2", "3", "4"), ticks(chart(4).svg(), "end"));
        assertEquals(List.of("0", "2", "4", "6"), ticks(chart(4).svg(), "middle"));
        assertEquals(List.of("0", "500", "1000", "1500", "2000"), ticks(chart(1586, 3).svg(), "end"));
        assertEquals(List.of("0", "0.02", "0.04", "0.06", "0.08"), ticks(chart(0.07).svg(), "end"));
        assertEquals(List.of("0", "1"), ticks(chart(0).svg(), "end"), "nothing but zeros");
    }

    @Test
    void shouldShowSmallAndLargeTogetherOnALogarithmicAxis() {
        assertEquals(List.of("1", "10", "100", "1000"), ticks(chart(446, 1.5).logarithmic().svg(), "end"));
        assertEquals(List.of("0.01", "0.1", "1", "10", "100"), ticks(chart(99, 0.0001).logarithmic().svg(), "end"));
        assertEquals(List.of("0.1", "1"), ticks(chart(0).logarithmic().svg(), "end"));
    }

    @Test
    void shouldNameItsLinesAndBandsOnce() {
        String svg = chart(1, 2).band(1, 2, "admin", "update").band(3, 3, "admin", "toggle").band(4, 5, "fault", "x").svg();
        Matcher legend = Pattern.compile("class=\"legend\"[^>]*>([^<]*)").matcher(svg);
        assertEquals(List.of("line 0", "line 1", "admin", "fault"),
                legend.results().map(m -> String.valueOf(m.group(1))).toList());
        assertTrue(svg.contains("<title>toggle</title>"), svg);
    }

    /** Marks on the lines would hide what they did to them. */
    @Test
    void shouldPutWhatHappenedAboveThePlot() {
        String svg = chart(1, 2).band(0, 8, "measured", "measured").event(1, 1, "fault", "cancel").event(2, 4, "admin", "update")
                .event(3, 3.5, "fault", "slow").svg();
        Matcher event = Pattern.compile("class=\"event (\\w+)\" x=\"[\\d.]+\" y=\"(\\d+)\" width=\"[\\d.]+\" height=\"(\\d+)\"")
                .matcher(svg);
        Matcher band = Pattern.compile("class=\"band measured\" x=\"[\\d.]+\" y=\"(\\d+)\"").matcher(svg);
        assertTrue(band.find(), svg);
        int plot = Integer.parseInt(String.valueOf(band.group(1)));
        // no legend
        List<String> kinds = event.results().filter(match -> !String.valueOf(match.group(2)).equals("10")).map(match -> {
            int bottom = Integer.parseInt(String.valueOf(match.group(2))) + Integer.parseInt(String.valueOf(match.group(3)));
            assertTrue(bottom <= plot, match.group());
            return match.group(1) + " " + match.group(2);
        }).toList();
        assertEquals(List.of("fault 34", "admin 44", "fault 34"), kinds, "each kind has a strip of its own");
        assertTrue(svg.contains("<title>slow</title>"), svg);
    }

    @Test
    void shouldLabelPointsAndRingOne() {
        String svg = new Chart("c", "t", "x", "y", Chart.Scale.LINEAR)
                .line("a", List.of(new double[] {0, 0}, new double[] {4, 4}), List.of("one", "two")).highlight(4, 4, "knee <4>")
                .svg();
        assertTrue(svg.contains(">one</text>") && svg.contains(">two</text>"), svg);
        assertTrue(svg.contains("<circle class=\"highlight\" cx=\"740.0\" cy=\"34.0\"")
                && svg.contains(">knee &lt;4&gt;</text>"), svg);
    }
}
