package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.admin.store.directory.DataDirException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Files of a data directory are for their owner alone. */
class DataDirectoryPermissionsTest {
    private static final String FILE = "rw-------";
    private static final String DIRECTORY = "rwx------";

    @TempDir
    Path temp;

    /** By name; the data directory itself is the empty name. */
    private static Map<String, String> permissions(Path directory) throws IOException {
        Map<String, String> permissions = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.toList()) {
                permissions.put(directory.relativize(file).toString(), PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            }
        }
        return permissions;
    }

    private static UpdateLog open(Path data) throws DataDirException {
        return UpdateLog.open(data, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.system());
    }

    @Test
    void shouldMakeEveryFileAndDirectoryForItsOwnerAlone() throws Exception {
        Path parent = temp.resolve("new");
        try (UpdateLog log = open(parent.resolve("data"))) {
            VersionRecord.Updated updated = Updates.commit(log, Updates.delta("first", 1));
            try (PayloadSpool receiving = log.receive(Updates.delta("second", 2))) {
                assertEquals(2, receiving.spec().baseVersion());
                assertEquals(Map.of("", DIRECTORY, "data", DIRECTORY, "data/lock", FILE, "data/manifest.json", FILE,
                        "data/" + updated.payloadFile(), FILE, "data/spool-2.tmp", FILE), permissions(parent));
            }
        }
    }

    /** What a killed server of another version has left may have had other permissions, which a rename keeps. */
    @Test
    void shouldNotTakeOverThePermissionsOfALeftover() throws Exception {
        Path data = Files.createDirectory(temp.resolve("data"));
        Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "not ours");
        Path leftover = Files.createLink(data.resolve(UpdateLog.MANIFEST_TEMP), elsewhere);
        Files.setPosixFilePermissions(leftover, PosixFilePermissions.fromString("rw-rw-rw-"));
        try (UpdateLog log = open(data)) {
            assertEquals(1, log.currentVersion());
            assertEquals(FILE, permissions(data).get(UpdateLog.MANIFEST));
            assertEquals("not ours", Files.readString(elsewhere));
        }
    }

    @Test
    void shouldDoSoWithoutAnyUmask() throws Exception {
        Path model = Files.writeString(temp.resolve("model.gguf"), "base");
        Path data = temp.resolve("data");
        Path printed = temp.resolve("printed");
        Process child = new ProcessBuilder("sh", "-c", "umask 0; exec \"$@\"", "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-cp", System.getProperty("java.class.path"), UpdateLogKillChild.class.getName(), data.toString(), model.toString())
                .redirectOutput(printed.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            while (Files.readString(printed).lines().count() < 3) { // open, and two versions
                assertFalse(child.waitFor(1, TimeUnit.MILLISECONDS), "the child ended by itself");
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        Map<String, String> found = permissions(data);
        assertEquals(DIRECTORY, found.remove(""));
        assertTrue(found.size() >= 4, found.toString());
        found.forEach((name, permissions) -> assertEquals(FILE, permissions, name));
    }

    @Test
    void shouldNameWhatIsNoDirectory() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "");
        assertEquals(file + ": no directory", assertThrows(DataDirException.class, () -> open(file)).getMessage());
        Path below = file.resolve("data");
        assertEquals(below + ": cannot be used: not a directory", assertThrows(DataDirException.class, () -> open(below)).getMessage());
    }
}
