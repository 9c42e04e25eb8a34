package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.server.cli.admin.AdminClient;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A real server whose head an administrator has chosen. */
class KeptHeadModeIT {
    @TempDir
    Path temp;

    private static String mode(AdminClient admin) throws Exception {
        return String.valueOf(admin.call(new AdminRequest.OptimizationStatus("s"), progress -> {}).details().get("mode"));
    }

    @Test
    void shouldGoOnWithTheModeOfBefore() throws Exception {
        Path kept;
        try (StartedServer server = new StartedServer(temp); AdminClient admin = server.admin()) {
            assertEquals("packed", mode(admin));
            admin.call(new AdminRequest.OptimizationSet("m", OptimizationMode.CACHED_TRANSPOSE, true), progress -> {});
            kept = server.dataDir.resolve("head-mode");
            assertEquals("cached-transpose\n", Files.readString(kept));
        }
        try (StartedServer server = new StartedServer(temp); AdminClient admin = server.admin()) {
            assertEquals(OptimizationMode.CACHED_TRANSPOSE.wireName(), mode(admin));
            admin.call(new AdminRequest.OptimizationSet("m", OptimizationMode.PACKED, true), progress -> {});
        }
        try (StartedServer server = new StartedServer(temp); AdminClient admin = server.admin()) {
            assertEquals("packed", mode(admin));
        }
        Files.writeString(kept, "upside-down\n");
        try (StartedServer server = new StartedServer(temp); AdminClient admin = server.admin()) {
            assertEquals("packed", mode(admin), "a word that is no mode is none");
        }
    }
}
