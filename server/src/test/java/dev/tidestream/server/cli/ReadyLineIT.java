package dev.tidestream.server.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.SharedData;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What programs read to find a server: one line, whose address is the server's, whatever the model file says. */
class ReadyLineIT {
    @TempDir
    Path temp;

    /** Notes what is written at once. */
    private static final class Pieces extends StringWriter {
        private final List<String> written = new ArrayList<>();

        @Override
        public void write(String text, int from, int length) {
            written.add(text.substring(from, from + length));
        }
    }

    @Test
    void shouldNameTheServersOwnAddressAlone() throws Exception {
        Path model = SharedData.path("cases/evilname.gguf"); // its name forges such a line
        Pieces pieces = new Pieces();
        try (StartedServer server = new StartedServer(temp, "--model", model.toString())) {
            ServeCommand.announce(server.serving, server.config, new PrintWriter(pieces));
            String line = "tidestream: ready on ws://127.0.0.1:%d/v1/stream (threads=".formatted(server.port());
            assertEquals(1, pieces.written.size(), "for a reader who leaves after a line: " + pieces.written);
            String said = pieces.written.getFirst();
            String http = "http://127.0.0.1:" + server.port();
            assertTrue(said.startsWith("console: %s/\ntry: curl %s/v1/completions -d '{".formatted(http, http)), said);
            assertEquals(said.indexOf(line), said.lastIndexOf('\n', said.length() - 2) + 1, "the last line: " + said);
            assertTrue(!said.contains("EVIL") && !said.contains("198.51.100.7"), said);
        }
    }
}
