package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.OptimizationMode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.FaultyStorage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** What the counters of docs/metrics.md are told: every refusal once, and what has changed. */
class AdminEventsTest {
    private static final String FILE = "u.safetensors";
    private static final FileUpdate ROWS = FileUpdate.rows(PayloadType.F32, "I32", 97, 3);

    @TempDir
    Path temp;

    private final List<String> expected = new ArrayList<>();

    private DeskFixture desk(FaultyStorage storage) throws Exception {
        return new DeskFixture(null, DeskFixture.Options.DEFAULT.withUpdateDir(temp).with(storage));
    }

    /** Is refused, and counted under the code that the sender is told. */
    private void refused(DeskFixture f, Executable call) {
        expected.add("refused " + assertThrows(AdminException.class, call).code().wireName());
        assertEquals(expected, f.events.told);
    }

    private static void send(DeskFixture f, FileUpdate update, byte[] payload) throws AdminException {
        f.send(new DeskFixture.Update(update.request(null), payload));
    }

    private static void sendFile(DeskFixture f, FileUpdate update) throws AdminException {
        f.desk.handle(update.request(FILE), DeskFixture.SILENT);
    }

    private static FileUpdate announced(byte[] payload) {
        return new FileUpdate(ROWS.kind(), ROWS.type(), ROWS.shape(), ROWS.rank(), ROWS.parts(), payload);
    }

    @Test
    void shouldCountEachRefusedUpdateOfFramesOnce() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (DeskFixture f = desk(storage)) {
            refused(f, () -> f.send(DeskFixture.rows("a", 2, new int[] {3}, new float[DeskFixture.HIDDEN])));
            refused(f, () -> send(f, announced(new byte[5]), ROWS.payload()));
            refused(f, () -> send(f, ROWS, new byte[5]));
            refused(f, () -> send(f, ROWS, new byte[ROWS.payload().length]));
            storage.failAt(0, 1, true, "No space left on device");
            refused(f, () -> send(f, ROWS, ROWS.payload()));
            storage.failAt(1, 1, true, "No space left on device");
            refused(f, () -> send(f, ROWS, ROWS.payload()));
            assertEquals(List.of("refused stale_base_version", "refused invalid_length", "refused invalid_length",
                    "refused checksum_mismatch", "refused disk_full", "refused disk_full"), f.events.told);
        }
    }

    @Test
    void shouldCountEachRefusedUpdateOfAFileOnce() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (DeskFixture f = desk(storage)) {
            refused(f, () -> sendFile(f, ROWS));
            Files.write(temp.resolve(FILE), new byte[7]);
            refused(f, () -> sendFile(f, ROWS));
            ROWS.withPart(DeskFixture.EMBEDDING).write(temp.resolve(FILE));
            refused(f, () -> sendFile(f, ROWS));
            ROWS.write(temp.resolve(FILE));
            refused(f, () -> sendFile(f, announced(new byte[5])));
            refused(f, () -> sendFile(f, announced(new byte[ROWS.payload().length])));
            storage.failAt(1, 1, true, "No space left on device");
            refused(f, () -> sendFile(f, ROWS));
            storage.usableBytes(0);
            refused(f, () -> sendFile(f, ROWS));
            assertEquals(List.of("refused invalid_path", "refused invalid_file", "refused invalid_file", "refused invalid_length",
                    "refused checksum_mismatch", "refused disk_full", "refused disk_full"), f.events.told);
        }
    }

    @Test
    void shouldCountWhatTheServerIsNotSetUpFor() throws Exception {
        try (DeskFixture f = new DeskFixture(null)) {
            refused(f, () -> sendFile(f, ROWS));
            refused(f, () -> send(f, ROWS, ROWS.payload()));
            refused(f, () -> f.rollback(1));
            assertEquals(List.of("refused invalid_path", "refused no_data_dir", "refused no_data_dir"), f.events.told);
        }
        expected.clear();
        try (DeskFixture f = new DeskFixture(null, DeskFixture.Options.DEFAULT.withUpdateDir(temp))) {
            refused(f, () -> sendFile(f, ROWS));
            assertEquals(List.of("refused no_data_dir"), f.events.told);
        }
    }

    @Test
    void shouldCountAnUpdateThatIsGivenUp() throws Exception {
        try (DeskFixture f = desk(new FaultyStorage())) {
            if (!(f.desk.begin(ROWS.request(null), DeskFixture.SILENT) instanceof AdminDesk.UpdateStart.Receiving(var upload))) {
                throw new AssertionError();
            }
            upload.accept(ByteBuffer.wrap(ROWS.payload(), 0, 100));
            assertEquals(List.of(), f.events.told);
            upload.giveUp(AdminErrorCode.SHUTTING_DOWN);
            upload.close();
            assertEquals(List.of("refused shutting_down"), f.events.told);
        }
    }

    @Test
    void shouldCountAModeOnlyIfItChanges() throws Exception {
        try (DeskFixture f = new DeskFixture(null)) {
            f.set(OptimizationMode.PACKED, true);
            assertEquals(List.of(), f.events.told, "it was packed");
            f.set(OptimizationMode.CACHED_TRANSPOSE, false);
            f.set(OptimizationMode.CACHED_TRANSPOSE, true);
            f.set(OptimizationMode.PACKED, false);
            assertEquals(List.of("cached-transpose", "packed"), f.events.told);
        }
    }
}
