package dev.tidestream.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Golden tests may be skipped where there is no data, and nowhere else. */
class SharedDataTest {
    @TempDir
    private Path folder;

    @Test
    void shouldFindTheFolderBesideACheckout() throws Exception {
        Path data = folder.resolve("shared");
        Files.createDirectories(data.resolve("golden"));
        Path deep = Files.createDirectories(folder.resolve("checkout/model"));
        Files.createDirectories(folder.resolve("checkout/shared/something")); // of somebody else
        assertEquals(Optional.of(data), SharedData.find(deep));
        assertEquals(Optional.of(data), SharedData.find(folder));
    }

    @Test
    void shouldFailWhereAFileIsMissing() throws Exception {
        Path there = Files.createFile(folder.resolve("there"));
        assertEquals(there, SharedData.path(Optional.of(folder), false, "there"));
        assertThrows(AssertionError.class, () -> SharedData.path(Optional.of(folder), false, "gone"));
    }

    @Test
    void shouldSkipWithoutTheFolderUnlessItIsRequired() {
        assertThrows(TestAbortedException.class, () -> SharedData.path(Optional.empty(), false, "there"));
        assertThrows(AssertionError.class, () -> SharedData.path(Optional.empty(), true, "there"));
    }
}
