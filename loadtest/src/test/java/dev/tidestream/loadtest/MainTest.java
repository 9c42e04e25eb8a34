package dev.tidestream.loadtest;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class MainTest {
    @Test
    void shouldAnswerHelpAndWrongUsage() {
        assertEquals(0, Main.run("smoke", "--help"));
        assertEquals(2, Main.run("smoke", "--streams", "none"));
        assertEquals(2, Main.run("smoke", "--streams", "0"));
        assertEquals(2, Main.run());
    }

    @Test
    void shouldFailWhenNobodyListens() throws IOException {
        int port;
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = taken.getLocalPort();
        }
        assertEquals(1, Main.run("smoke", "--url", "ws://127.0.0.1:" + port + "/v1/stream", "--json"));
        assertEquals(1, Main.run("smoke", "--url", "gopher://127.0.0.1/"));
    }
}
