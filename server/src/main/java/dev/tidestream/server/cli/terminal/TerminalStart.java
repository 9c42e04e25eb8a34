package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.nio.file.Path;

import dev.tidestream.console.Printable;
import dev.tidestream.server.app.StartListener;

/**
 * Shows on a terminal how far a start has come, and prints its warnings.
 *
 * @param err where to
 */
public record TerminalStart(PrintWriter err) implements StartListener {
    @Override
    public Loading loading(Path model) {
        return new LoadProgress(err, model);
    }

    @Override
    public Restoring restoring() {
        return new RestoreProgress(err, System::nanoTime);
    }

    @Override
    public void warning(String text) {
        err.println("tidestream: warning: " + Printable.line(text));
        err.flush();
    }
}
