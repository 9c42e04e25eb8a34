package dev.tidestream.loadtest;

import java.io.PrintStream;
import java.util.Locale;

import dev.tidestream.loadtest.run.Live;

/** One line on a terminal that is written over and over. */
final class Terminal implements Live.Listener {
    private static final int BAR = 20;
    private static final String CLEAR = "\r\u001b[K";

    private final PrintStream out;

    Terminal(PrintStream out) {
        this.out = out;
    }

    @Override
    public void at(Live l) {
        out.print(CLEAR + line(l));
        out.flush();
    }

    static String line(Live l) {
        int full = (int) Math.round(l.done() * BAR);
        return String.format(Locale.ROOT,
                "%-10s [%s%s] %3.0f %%  %8.1f tokens/s  %4d streams on %d  %6d done  ttft p50 %.1f p99 %.1f ms%s",
                l.phase(), "█".repeat(full), "·".repeat(BAR - full), l.done() * 100, l.tokensPerS(), l.running(), l.connections(),
                l.finished(), l.ttftP50Ms(), l.ttftP99Ms(), l.breaches() == 0 ? "" : "  BREACHES: " + l.breaches());
    }

    void clear() {
        out.print(CLEAR);
        out.flush();
    }
}
