package dev.tidestream.loadtest.report;

import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

import org.jspecify.annotations.Nullable;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.loadtest.figures.Kills;
import dev.tidestream.loadtest.figures.Latency;
import dev.tidestream.loadtest.figures.ServerFigures;

import static dev.tidestream.loadtest.report.Page.esc;

/** Servers beside each other, and what became of streams whose worker was killed. */
final class NodesSection {
    private NodesSection() {}

    static void add(Page html, List<ServerFigures> servers, @Nullable Kills kills) {
        if (kills != null) {
            html.add("<p class=\"soft\">Killed: %d workers %s. Of %d streams that ran, %d came to their end; tokens lost %d, repeated %d;"
                    + " longest gap of each: p50 %s ms, max %s ms.</p>", kills.count(), esc(new TreeMap<>(kills.workers()).toString()),
                    kills.disturbed(), kills.finished(), kills.lost(), kills.repeated(), ms(kills.pause(), Latency::p50),
                    ms(kills.pause(), Latency::max));
        }
        if (servers.isEmpty()) {
            return;
        }
        html.add("<h2>Server by server</h2><div class=\"scroll\"><table><tr><th>server</th><th>requests</th><th>finished</th>"
                + "<th>failed</th><th>tokens/s</th><th>TTFT p50</th><th>TTFT p99</th><th>ITL p50</th><th>ITL p99</th></tr>");
        for (ServerFigures server : servers) {
            Figures f = server.figures();
            html.add("<tr><td>%s</td><td>%d</td><td>%d</td><td>%d</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>",
                    esc(server.name()), f.requests(), f.finished(), f.failed(), String.format(Locale.ROOT, "%.1f", f.tokensPerS()),
                    ms(f.ttft(), Latency::p50), ms(f.ttft(), Latency::p99), ms(f.itl(), Latency::p50), ms(f.itl(), Latency::p99));
        }
        html.add("</table></div>");
    }

    private static String ms(Latency latency, ToDoubleFunction<Latency> of) {
        return latency.count() == 0 ? "–" : String.format(Locale.ROOT, "%.2f", of.applyAsDouble(latency));
    }
}
