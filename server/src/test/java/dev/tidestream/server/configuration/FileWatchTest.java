package dev.tidestream.server.configuration;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FileWatchTest {
    @TempDir
    Path temp;

    private final List<String> told = new ArrayList<>();

    @Test
    void shouldTellOfAChangeOnceItHasSettled() throws Exception {
        Path a = Files.writeString(temp.resolve("a"), "1");
        Path b = Files.writeString(temp.resolve("b"), "1");
        try (FileWatch watch = new FileWatch()) {
            watch.watch(List.of(a, b), () -> told.add("ab"));
            watch.look();
            watch.look();
            assertEquals(List.of(), told);
            Files.writeString(a, "22");
            watch.look(); // may still be written
            Files.writeString(b, "22");
            watch.look();
            assertEquals(List.of(), told);
            watch.look();
            assertEquals(List.of("ab"), told);
            watch.look();
            assertEquals(List.of("ab"), told);
        }
    }

    /** Written in place, as long as before, and set back in time: what nobody can set back is the time of that. */
    @Test
    void shouldSeeAFileOfTheSameSizeAndTime() throws Exception {
        Path a = Files.writeString(temp.resolve("a"), "1");
        Assumptions.assumeTrue(a.getFileSystem().supportedFileAttributeViews().contains("unix"));
        FileTime time = Files.getLastModifiedTime(a);
        Object before = Files.getAttribute(a, "unix:ctime");
        try (FileWatch watch = new FileWatch()) {
            watch.watch(List.of(a), () -> told.add("a"));
            do { // clocks of files may tick slowly
                Files.writeString(a, "2");
                Files.setLastModifiedTime(a, time);
            } while (Files.getAttribute(a, "unix:ctime").equals(before));
            watch.look();
            watch.look();
            assertEquals(List.of("a"), told);
        }
    }

    /** A file of the same size that takes the place of another, one that goes, one that comes. */
    @Test
    void shouldSeeFilesThatAreReplaced() throws Exception {
        Path a = Files.writeString(temp.resolve("a"), "1");
        try (FileWatch watch = new FileWatch()) {
            watch.watch(List.of(a), () -> told.add("a"));
            Path other = Files.writeString(temp.resolve("other"), "2");
            Files.setLastModifiedTime(other, Files.getLastModifiedTime(a));
            Files.move(other, a, StandardCopyOption.REPLACE_EXISTING);
            watch.look();
            watch.look();
            assertEquals(1, told.size());
            Files.delete(a);
            watch.look();
            watch.look();
            assertEquals(2, told.size());
            Files.writeString(a, "3");
            watch.look();
            watch.look();
            assertEquals(3, told.size());
        }
    }

    /** A fault of one is the next one's no more than its own next time. */
    @Test
    void shouldGoOnAfterAFault() throws Exception {
        Path a = Files.writeString(temp.resolve("a"), "1");
        CountDownLatch twice = new CountDownLatch(2);
        try (FileWatch watch = new FileWatch(Duration.ofDays(1))) {
            watch.watch(List.of(a), () -> {
                twice.countDown();
                throw new IllegalStateException("scripted");
            });
            watch.reloadAll();
            watch.reloadAll();
            assertTrue(twice.await(60, TimeUnit.SECONDS));
        }
    }
}
