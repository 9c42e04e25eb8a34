package dev.tidestream.loadtest;

import java.io.PrintStream;
import java.util.Locale;

import dev.tidestream.console.Printable;
import dev.tidestream.loadtest.run.Live;

/** One line on a terminal that is written over and over; what a narrow terminal has no room for is cut off. */
final class Terminal implements Live.Listener {
    private static final int BAR = 20;
    private static final String CLEAR = "\r\u001b[K";
    private static final String NO_WRAP = "\u001b[?7l";
    private static final String WRAP = "\u001b[?7h";

    private final PrintStream out;
    private final boolean unicode;

    Terminal(PrintStream out) {
        this.out = out;
        this.unicode = out.charset().newEncoder().canEncode('█');
    }

    @Override
    public void at(Live l) {
        out.print(CLEAR + NO_WRAP + line(l, unicode) + WRAP); // wraps again at once, should we be killed
        out.flush();
    }

    static String line(Live l, boolean unicode) {
        String head = l.phase() + (l.label().isEmpty() ? "" : " " + Printable.line(l.label()));
        if (l.phase().equals("starting")) {
            return head + " …".substring(0, unicode ? 2 : 0);
        }
        int full = (int) Math.round(l.done() * BAR);
        String bar = (unicode ? "█" : "#").repeat(full) + (unicode ? "·" : ".").repeat(BAR - full);
        return String.format(Locale.ROOT, "%-10s [%s] %3.0f %%%s %8.1f tok/s %4d on %d %6d done  ttft %.1f/%.1f ms", head, bar,
                l.done() * 100, l.breaches() == 0 ? "" : "  BREACHES: " + l.breaches(), l.tokensPerS(), l.running(),
                l.connections(), l.finished(), l.ttftP50Ms(), l.ttftP99Ms());
    }

    void clear() {
        out.print(CLEAR);
        out.flush();
    }
}
