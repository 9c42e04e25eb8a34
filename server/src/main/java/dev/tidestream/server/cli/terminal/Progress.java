package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.CommandOutput;
import dev.tidestream.console.Printable;
import dev.tidestream.console.Terminals;

/**
 * A bar on the terminal for work that takes longer than a second; nothing where output is piped. Any thread may report.
 *
 * <pre>{@code repacking weights [==========>         ]  52 %}</pre>
 */
public final class Progress implements AutoCloseable {
    private static final long PATIENCE_NS = Duration.ofSeconds(1).toNanos();
    private static final long REDRAW_NS = Duration.ofMillis(100).toNanos();
    private static final int CELLS = 30;

    private final @Nullable PrintWriter terminal;
    private final LongSupplier clockNs;
    private final String label;
    private final long total;
    private long done;
    private long nextDrawNs;
    private int drawnChars;

    /**
     * @param terminal where the bar is drawn; null for none
     * @param clockNs monotonic
     * @param label what is being done
     * @param total units of work, at least 1
     */
    public Progress(@Nullable PrintWriter terminal, LongSupplier clockNs, String label, long total) {
        if (total < 1) {
            throw new IllegalArgumentException("progress needs a total of at least 1: total=" + total);
        }
        this.terminal = terminal;
        this.clockNs = clockNs;
        this.label = label;
        this.total = total;
        this.nextDrawNs = clockNs.getAsLong() + PATIENCE_NS;
    }

    /** A bar on stderr if that is a terminal. */
    public static Progress onTerminal(PrintWriter err, String label, long total) {
        return new Progress(Terminals.stderr() ? CommandOutput.exact(err) : null, System::nanoTime, Printable.line(label), total);
    }

    /** So many more units are done. */
    public synchronized void advance(long units) {
        done = Math.min(total, done + units);
        long nowNs = clockNs.getAsLong();
        if (terminal != null && nowNs - nextDrawNs >= 0) {
            draw(terminal);
            nextDrawNs = nowNs + REDRAW_NS;
        }
    }

    private void draw(PrintWriter out) {
        int filled = (int) (CELLS * (double) done / total);
        String bar = "=".repeat(filled) + (filled < CELLS ? ">" + " ".repeat(CELLS - filled - 1) : "");
        String line = "%s [%s] %3d %%".formatted(label, bar, (int) (100 * (double) done / total));
        out.print("\r" + line);
        out.flush();
        drawnChars = line.length();
    }

    /** Wipes the bar away, for something else to be printed; it comes back with the next report. */
    public synchronized void wipe() {
        if (terminal != null && drawnChars > 0) {
            terminal.print("\r" + " ".repeat(drawnChars) + "\r");
            terminal.flush();
            drawnChars = 0;
        }
    }

    /** Wipes the bar away. */
    @Override
    public void close() {
        wipe();
    }
}
