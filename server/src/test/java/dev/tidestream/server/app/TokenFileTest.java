package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertEquals;

class TokenFileTest {
    private static final String TOKEN = "a-token-of-this-test-alone";

    @TempDir
    Path temp;

    @Test
    void shouldTakeATokenThatOthersMayReadWithAWarning() throws IOException {
        Path token = Files.writeString(temp.resolve("token"), TOKEN);
        for (String permissions : List.of("rw-r--r--", "rw-rw-r--", "r--r-----", "rw-------", "r--------")) {
            Files.setPosixFilePermissions(token, PosixFilePermissions.fromString(permissions));
            try (LoggedLines logged = new LoggedLines(TokenFile.class.getName())) {
                assertEquals(TOKEN, TokenFile.read(token));
                assertEquals(permissions.endsWith("------") ? List.of() : List.of("WARN others than its owner may use the admin token: "
                        + "file=%s, permissions=%s; run chmod 600 on it".formatted(token, permissions)), logged.lines());
            }
        }
    }
}
