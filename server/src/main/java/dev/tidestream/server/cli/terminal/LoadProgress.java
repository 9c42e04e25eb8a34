package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.nio.file.Path;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.transformer.ModelLoader.Stage;
import dev.tidestream.server.app.StartListener;

/** A bar for each stage of loading a model. Used by the thread that loads. */
public final class LoadProgress implements StartListener.Loading {
    private final PrintWriter err;
    private final Path model;
    private @Nullable Progress bar;
    private @Nullable Stage stage;
    private long seenBytes;

    LoadProgress(PrintWriter err, Path model) {
        this.err = err;
        this.model = model;
    }

    @Override
    public void loaded(Stage now, long doneBytes, long totalBytes) {
        Progress current = bar;
        if (current == null || stage != now) {
            close();
            current = Progress.onTerminal(err, label(now) + model.getFileName(), Math.max(1, totalBytes));
            bar = current;
            stage = now;
            seenBytes = 0;
        }
        current.advance(doneBytes - seenBytes);
        seenBytes = doneBytes;
    }

    private static String label(Stage stage) {
        return switch (stage) {
            case PACKING -> "packing ";
            case READING_PANELS -> "reading panels of ";
            case WRITING_PANELS -> "writing panels of ";
        };
    }

    /** Wipes the bar away. */
    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }
}
