package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The whole server, told to stop while a client has a stream that waits and does not answer the close frame. */
class ServerStopIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String HANDSHAKE = String.join("\r\n", "GET /v1/stream HTTP/1.1", "Host: localhost", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: tidestream.v1", "", "");
    private static final String GENERATE = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"max_tokens\":9,\"credit\":1}";

    @TempDir
    Path temp;

    @Test
    void shouldEndWithSuccessAndSayWhatItWaitsFor() throws Exception {
        Path printed = temp.resolve("printed");
        Process process = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                "-Dlogback.configurationFile=logback.xml", // the server's own, not that of tests
                "-cp", System.getProperty("java.class.path"), Main.class.getName(),
                "serve", "--port", "0", "--shutdown-grace", "1"))
                .redirectOutput(printed.toFile()).redirectErrorStream(true).start();
        try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), port(process, printed))) {
            silent.setSoTimeout((int) PATIENCE.toMillis());
            silent.getOutputStream().write(HANDSHAKE.getBytes(StandardCharsets.US_ASCII));
            silent.getOutputStream().write(new byte[] {(byte) 0x81, (byte) (0x80 | GENERATE.length()), 0, 0, 0, 0});
            silent.getOutputStream().write(GENERATE.getBytes(StandardCharsets.US_ASCII));
            readUntil(silent.getInputStream(), "\"token\"");
            process.destroy(); // SIGTERM
            readUntil(silent.getInputStream(), "\"shutting_down\"");
            assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), "it waits for the client to answer");
        } finally {
            process.destroyForcibly();
        }
        String log = Files.readString(printed);
        assertEquals(0, process.exitValue(), log);
        for (String line : List.of(
                "stopping: connections=1, under_way=1, grace_ms=1000",
                "grace period is over, breaking off: connections=1, under_way=1",
                "not waiting any more for clients to close: connections=1, under_way=0",
                "all connections are closed: took_ms=",
                "server - stopped took_ms=")) {
            assertTrue(log.contains(line), log);
        }
    }

    private static int port(Process process, Path printed) throws IOException, InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        String text = "";
        while (!text.matches("(?s).* ready on ws://[^:]+:\\d+/.*")) {
            assertTrue(System.nanoTime() < deadlineNs, text);
            assertFalse(process.waitFor(5, TimeUnit.MILLISECONDS), text);
            text = Files.readString(printed);
        }
        return Integer.parseInt(text.replaceAll("(?s).* ready on ws://[^:]+:(\\d+)/.*", "$1"));
    }

    private static void readUntil(InputStream in, String text) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(text) < 0) {
            int b = in.read();
            assertTrue(b >= 0, "the end, after: " + read);
            read.append((char) b);
        }
    }
}
