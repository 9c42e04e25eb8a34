package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MainTest {
    private final StringWriter said = new StringWriter();

    private int run(String... args) {
        return Main.run(new PrintWriter(said), new PrintWriter(said), args);
    }

    @Test
    void shouldAnswerHelpAndWrongUsage() {
        assertEquals(0, run("--help"));
        assertEquals(0, run("report", "--help"));
        assertEquals(2, run("--concurrency", "none"));
        assertEquals(2, run("--concurrency", "0"));
        assertEquals(2, run("--duration", "10"));
        assertTrue(said.toString().contains("not a duration such as 500ms, 10s or 2m: 10"), said.toString());
        assertEquals(2, run("--faults", "vanish=2"));
        assertEquals(2, run("--find-max"));
        assertEquals(2, run("--scenario", "no-such-scenario"));
    }

    @Test
    void shouldFailWhenNobodyListens() throws IOException {
        int port;
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = taken.getLocalPort();
        }
        assertEquals(1, run("--url", "ws://127.0.0.1:" + port + "/v1/stream"));
        assertTrue(said.toString().contains("cannot connect to http://127.0.0.1:" + port + "/v1/models"), said.toString());
        assertEquals(1, run("--url", "ws://127.0.0.1:" + port + "/v1/stream", "--prompt", "x"));
        assertEquals(1, run("--url", "gopher://127.0.0.1/"));
    }
}
