package dev.tidestream.server.admin.store;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.store.directory.FaultyStorage;
import dev.tidestream.server.admin.store.directory.Sha256;

import static dev.tidestream.server.admin.store.UpdateLogTest.refused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

class PayloadSpoolTest {
    @TempDir
    Path temp;

    private Path data;
    private UpdateLog log;

    @BeforeEach
    void openLog() throws Exception {
        Path model = Files.writeString(temp.resolve("model.gguf"), "base");
        data = temp.resolve("data");
        log = UpdateLog.open(data, Updates.sha256(model), UpdateLogLimits.DEFAULT, InstantSource.system());
    }

    @AfterEach
    void closeLog() {
        log.close();
    }

    @Test
    void shouldPutChunksOfAnySizeTogether() throws Exception {
        byte[] payload = new byte[1_000_003];
        new SplittableRandom(3).nextBytes(payload);
        UpdateSpec spec = new UpdateSpec("big", 1, "t", UpdateKind.REPLACE, List.of(1L), PayloadType.F32, 0,
                Sha256.of(payload), payload.length);
        PayloadSpool spool = log.receive(spec);
        int at = 0;
        for (int size = 1; at < payload.length; size = size * 3 + 1) {
            int n = Math.min(size, payload.length - at);
            ByteBuffer chunk = size % 2 == 0 ? ByteBuffer.allocateDirect(n).put(payload, at, n).flip() : ByteBuffer.wrap(payload, at, n);
            spool.accept(chunk);
            assertFalse(chunk.hasRemaining());
            at += n;
            assertEquals(at, spool.receivedBytes());
        }
        spool.finish();
        assertArrayEquals(payload, Files.readAllBytes(spool.file()));
        assertArrayEquals(payload, Files.readAllBytes(log.payload(log.commit(spool))));
        assertThrows(IllegalStateException.class, spool::file);
    }

    @Test
    void shouldRefuseTooMuchTooLittleAndOtherBytes() throws Exception {
        PayloadSpool tooLong = log.receive(Updates.delta("a", 1));
        tooLong.accept(ByteBuffer.allocate(10));
        refused(AdminErrorCode.INVALID_LENGTH, "payload too long: received_bytes=17, byte_length=16",
                () -> tooLong.accept(ByteBuffer.allocate(7)));
        PayloadSpool tooShort = log.receive(Updates.delta("a", 1));
        tooShort.accept(ByteBuffer.allocate(15));
        refused(AdminErrorCode.INVALID_LENGTH, "payload too short: received_bytes=15, byte_length=16", tooShort::finish);
        PayloadSpool wrong = log.receive(Updates.delta("a", 1));
        wrong.accept(ByteBuffer.allocate(16));
        refused(AdminErrorCode.CHECKSUM_MISMATCH, "announced=" + Updates.delta("a", 1).sha256(), wrong::finish);
        assertThrows(IllegalStateException.class, () -> log.commit(wrong));
        assertNothingIsLeft();
        assertEquals(2, Updates.commit(log, Updates.delta("a", 1)).weightsVersion());
    }

    @Test
    void shouldRefuseAndCleanUpWhenTheDiskIsFull() throws Exception {
        for (int step = 1; step < 6; step++) {
            FaultyStorage storage = new FaultyStorage();
            UpdateLog faulty = UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.system());
            storage.failAt(step, 1, false, "Disk quota exceeded");
            refused(AdminErrorCode.DISK_FULL, "disk full", () -> Updates.received(faulty, Updates.delta("a", 1)));
            assertEquals(List.of(UpdateLog.MANIFEST), storage.list());
        }
    }

    @Test
    void shouldLeaveNothingWhenAborted() throws Exception {
        log.receive(Updates.delta("a", 1)).close();
        Updates.received(log, Updates.delta("a", 1)).close();
        PayloadSpool spool = log.receive(Updates.delta("a", 1));
        spool.accept(ByteBuffer.allocate(3));
        spool.close();
        assertThrows(IllegalStateException.class, () -> spool.accept(ByteBuffer.allocate(3)));
        assertNothingIsLeft();
    }

    @Test
    void shouldBeAbortedByOneThreadWhileAnotherCommits() throws Exception {
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            int committed = 0;
            for (int i = 0; i < 50; i++) {
                PayloadSpool spool = Updates.received(log, Updates.delta("u" + i, log.currentVersion()));
                CountDownLatch start = new CountDownLatch(1);
                Future<?> abort = other.submit(() -> {
                    start.await();
                    spool.close();
                    return null;
                });
                start.countDown();
                try {
                    log.commit(spool);
                    committed++;
                } catch (IllegalStateException e) {
                    assertEquals(1 + committed, log.currentVersion()); // the abort came first
                }
                abort.get();
            }
            assertEquals(1 + committed, log.currentVersion());
            try (var files = Files.list(data)) {
                assertEquals(2 + committed, files.count());
            }
        }
    }

    private void assertNothingIsLeft() throws Exception {
        try (var files = Files.list(data)) {
            assertEquals(List.of("lock", "manifest.json"), files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }
}
