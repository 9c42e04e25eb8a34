package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.cli.admin.AdminClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A real server whose token file changes while it runs. */
class AdminTokenReloadIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String NEW_TOKEN = "another-token-of-this-test";

    @TempDir
    Path temp;

    private static AdminClient connect(StartedServer server, String token) throws IOException, InterruptedException {
        return AdminClient.connect(URI.create("ws://127.0.0.1:%d/v1/admin".formatted(server.port())), token, PATIENCE);
    }

    /** With the new token, as soon as that is in force. */
    private static AdminClient connectInTime(StartedServer server) throws InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return connect(server, NEW_TOKEN);
            } catch (IOException e) {
                assertTrue(System.nanoTime() < deadlineNs, e.toString());
            }
        }
    }

    @Test
    void shouldTakeANewTokenAndKeepTheOldOneIfItIsBroken() throws Exception {
        try (StartedServer server = new StartedServer(temp, "--admin-token-burst", "1000000", "--admin-token-rate", "1000000");
                AdminClient before = server.admin()) {
            Path file = temp.resolve("token");
            Files.writeString(file, "short\n");
            server.serving.reloadFiles();
            try (AdminClient still = server.admin()) {
                assertEquals(1, still.call(new AdminRequest.WeightsStatus("s"), progress -> {}).weightsVersion());
            }
            Files.writeString(file, NEW_TOKEN + "\n");
            server.serving.reloadFiles();
            try (AdminClient after = connectInTime(server)) {
                assertEquals(1, after.call(new AdminRequest.WeightsStatus("s"), progress -> {}).weightsVersion());
            }
            assertThrows(IOException.class, server::admin, "the old token");
            assertEquals(1, before.call(new AdminRequest.WeightsStatus("s"), progress -> {}).weightsVersion(), "who is connected stays");
        }
    }
}
