package dev.tidestream.loadtest.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import dev.tidestream.console.Reasons;

/** Reports on disk. */
public final class ReportFiles {
    private ReportFiles() {}

    /** @throws IOException if it cannot be written; the message names the file and says why */
    public static void write(Path file, String report) throws IOException {
        try {
            Files.writeString(file, report);
        } catch (IOException e) {
            throw new IOException("report cannot be written: %s: %s".formatted(file, Reasons.of(e)), e);
        }
    }
}
