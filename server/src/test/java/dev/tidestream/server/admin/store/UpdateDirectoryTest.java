package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;

import static dev.tidestream.server.admin.store.UpdateLogTest.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class UpdateDirectoryTest {
    @TempDir
    Path temp;

    @Test
    void shouldKeepPathsInsideTheDirectory() throws Exception {
        Path root = Files.createDirectories(temp.resolve("updates"));
        Files.createDirectories(root.resolve("a"));
        Files.writeString(root.resolve("a/f"), "x");
        Files.writeString(temp.resolve("secret"), "x");
        Files.createDirectories(temp.resolve("updates-2"));
        Files.writeString(temp.resolve("updates-2/f"), "x");
        Files.createSymbolicLink(root.resolve("inside"), Path.of("a", "f"));
        Files.createSymbolicLink(root.resolve("outside"), temp.resolve("secret"));
        Files.createSymbolicLink(root.resolve("door"), temp);
        Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
        UpdateDirectory directory = UpdateDirectory.of(root);
        Path real = root.resolve("a/f").toRealPath();
        for (String path : List.of("a/f", "./a/f", "a//f", "inside")) {
            assertEquals(real, directory.resolve(path), path);
        }
        for (String path : List.of("../secret", "a/../../secret", "a/../a/f", "..", temp.resolve("secret").toString(), "outside",
                "door/secret", "door/updates-2/f", "loop", "a", "", ".", "nothing", "a/f/g", "a\0f", "x".repeat(5000))) {
            refused(AdminErrorCode.INVALID_PATH, "", () -> directory.resolve(path));
        }
        assertThrows(IOException.class, () -> UpdateDirectory.of(real));
        assertThrows(IOException.class, () -> UpdateDirectory.of(temp.resolve("nothing")));
    }
}
