package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import dev.tidestream.loadtest.report.JsonReport;
import dev.tidestream.loadtest.report.RunReport;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Runs of the tool in this process, against a scripted server. */
final class Runs {
    private Runs() {}

    /** A run that must end well. */
    static RunReport good(ScriptedServer server, Path directory, String... args) throws IOException {
        return report(server, directory, true, args);
    }

    /** A run that may fail. */
    static RunReport any(ScriptedServer server, Path directory, String... args) throws IOException {
        return report(server, directory, false, args);
    }

    /** Without a warm-up, unless {@code args} have one. */
    private static RunReport report(ScriptedServer server, Path directory, boolean good, String... args) throws IOException {
        Path out = directory.resolve("out.json");
        List<String> all = new ArrayList<>(List.of("--url", server.url().toString(), "--warmup", "0s", "--out", out.toString()));
        all.addAll(List.of(args));
        StringWriter text = new StringWriter();
        int exitCode = Main.run(new PrintWriter(text), new PrintWriter(text), all.toArray(String[]::new));
        RunReport report = JsonReport.read(out);
        assertEquals(report.ok() ? 0 : 1, exitCode, text.toString());
        if (good) {
            assertEquals(0, exitCode, text.toString());
        }
        return report;
    }
}
