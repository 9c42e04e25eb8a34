package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.DataDirException;
import dev.tidestream.server.admin.store.directory.FaultyStorage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class UpdateLogTest {
    private static final Instant NOW = Instant.parse("2026-11-23T05:00:00.123456Z");

    @TempDir
    Path temp;

    private Path model;
    private Path data;

    @BeforeEach
    void createModelFile() throws IOException {
        model = Files.writeString(temp.resolve("model.gguf"), "base");
        data = temp.resolve("a").resolve("data");
    }

    private UpdateLog open() throws DataDirException {
        return open(UpdateLogLimits.DEFAULT);
    }

    private UpdateLog open(UpdateLogLimits limits) throws DataDirException {
        return UpdateLog.open(data, Updates.sha256(model), limits, InstantSource.fixed(NOW));
    }

    private List<String> files() throws IOException {
        try (var list = Files.list(data)) {
            return list.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldBeginWithTheModelFile() throws Exception {
        try (UpdateLog log = open()) {
            assertEquals(UpdateLog.BASE_VERSION, log.currentVersion());
            assertEquals(List.of(), log.history());
            assertEquals(List.of(), log.replay(UpdateLog.BASE_VERSION));
            assertEquals(Updates.BASE, log.baseSha256());
        }
        assertEquals(List.of("lock", "manifest.json"), files());
    }

    @Test
    void shouldServeTheLastCommittedVersionAfterARestart() throws Exception {
        List<VersionRecord> history;
        try (UpdateLog log = open()) {
            VersionRecord.Updated update = Updates.commit(log, Updates.delta("a", 1));
            assertEquals(2, update.weightsVersion());
            assertEquals(Instant.parse("2026-11-23T05:00:00.123Z"), update.committedAt());
            assertEquals(3, Updates.commit(log, Updates.spec("b \"\u00e9\uD83C\uDF0A", 2, "blk.0.attn_q.weight", UpdateKind.ROWS))
                    .weightsVersion());
            assertEquals(4, log.rollback(2, 3).weightsVersion());
            history = log.history();
        }
        try (UpdateLog log = open()) {
            assertEquals(4, log.currentVersion());
            assertEquals(history, log.history());
            VersionRecord.Updated first = (VersionRecord.Updated) history.getFirst();
            assertEquals(List.of(first), log.replay(4));
            assertArrayEquals(Updates.payload("a"), Files.readAllBytes(log.payload(first)));
        }
    }

    @Test
    void shouldReplayAlongRollbacks() throws Exception {
        try (UpdateLog log = open()) {
            VersionRecord a = Updates.commit(log, Updates.delta("a", 1)); // 2
            VersionRecord b = Updates.commit(log, Updates.delta("b", 2)); // 3
            log.rollback(2, 3); // 4 = 2
            VersionRecord c = Updates.commit(log, Updates.delta("c", 4)); // 5 = a, c
            log.rollback(3, 5); // 6 = 3
            log.rollback(1, 6); // 7 = base
            log.rollback(6, 7); // 8 = 6 = 3
            assertEquals(List.of(a, b), log.replay(3));
            assertEquals(List.of(a), log.replay(4));
            assertEquals(List.of(a, c), log.replay(5));
            assertEquals(List.of(a, b), log.replay(6));
            assertEquals(List.of(), log.replay(7));
            assertEquals(List.of(a, b), log.replay(8));
        }
    }

    @Test
    void shouldLeaveOutWhatALaterReplacementHides() throws Exception {
        try (UpdateLog log = open()) {
            Updates.commit(log, Updates.spec("a", 1, "x", UpdateKind.DELTA));
            VersionRecord b = Updates.commit(log, Updates.spec("b", 2, "y", UpdateKind.DELTA));
            VersionRecord c = Updates.commit(log, Updates.spec("c", 3, "x", UpdateKind.REPLACE));
            VersionRecord d = Updates.commit(log, Updates.spec("d", 4, "x", UpdateKind.ROWS));
            assertEquals(List.of(b, c, d), log.replay(5));
        }
    }

    @Test
    void shouldApplyARepeatedUpdateOnce() throws Exception {
        UpdateSpec spec = Updates.delta("a", 1);
        VersionRecord.Updated first;
        try (UpdateLog log = open()) {
            PayloadSpool twin = log.receive(spec);
            first = Updates.commit(log, spec);
            twin.accept(ByteBuffer.wrap(Updates.payload("a")));
            twin.finish();
            assertEquals(Optional.of(first), log.admit(spec));
            assertThrows(IllegalStateException.class, () -> log.commit(twin), "the same update twice");
            Updates.commit(log, Updates.delta("b", 2));
        }
        try (UpdateLog log = open()) {
            assertEquals(Optional.of(first), log.findRepeated(spec));
            assertEquals(3, log.currentVersion());
            refused(AdminErrorCode.UPDATE_CONFLICT, "version 2", () -> log.findRepeated(Updates.delta("a", 3)));
            refused(AdminErrorCode.UPDATE_CONFLICT, "version 2",
                    () -> log.admit(Updates.spec("a", 1, "other", UpdateKind.DELTA)));
            assertEquals(Optional.empty(), log.findRepeated(Updates.delta("c", 3)));
        }
    }

    @Test
    void shouldCompareAndSet() throws Exception {
        try (UpdateLog log = open()) {
            PayloadSpool loser = Updates.received(log, Updates.delta("loser", 1));
            Updates.commit(log, Updates.delta("winner", 1));
            refused(AdminErrorCode.STALE_BASE_VERSION, "base_version=1, weights_version=2", () -> log.admit(loser.spec()));
            assertThrows(IllegalStateException.class, () -> log.commit(loser), "a version that nobody has built");
            refused(AdminErrorCode.STALE_BASE_VERSION, "base_version=3", () -> log.receive(Updates.delta("x", 3)));
            refused(AdminErrorCode.STALE_BASE_VERSION, "base_version=1", () -> log.rollback(1, 1));
            assertEquals(2, log.currentVersion());
            assertEquals(3, files().size(), () -> "lock, manifest, payload");
        }
    }

    @Test
    void shouldRefuseToGoBackToWhatIsNotThere() throws Exception {
        try (UpdateLog log = open()) {
            Updates.commit(log, Updates.delta("a", 1));
            refused(AdminErrorCode.UNKNOWN_VERSION, "to_version=0", () -> log.rollback(0, 2));
            refused(AdminErrorCode.UNKNOWN_VERSION, "to_version=2", () -> log.rollback(2, 2));
            refused(AdminErrorCode.UNKNOWN_VERSION, "to_version=3, known=1..2", () -> log.rollback(3, 2));
            refused(AdminErrorCode.UNKNOWN_VERSION, "to_version=3", () -> log.replay(3));
            assertEquals(2, log.currentVersion());
        }
    }

    @Test
    void shouldKeepWithinItsLimits() throws Exception {
        try (UpdateLog log = open(new UpdateLogLimits(3, 3L * Updates.BYTES, 2))) {
            Updates.commit(log, Updates.delta("a", 1));
            PayloadSpool one = log.receive(Updates.delta("b", 2));
            try (PayloadSpool two = log.receive(Updates.delta("c", 2))) {
                refused(AdminErrorCode.BUSY, "payloads=2, limit=2", () -> log.receive(Updates.delta("d", 2)));
                one.close();
                one.close();
                assertEquals(0, two.receivedBytes());
            }
            Updates.commit(log, Updates.delta("b", 2));
            PayloadSpool last = log.receive(Updates.delta("c", 3));
            refused(AdminErrorCode.TOO_MANY_BYTES, "byte_length=16, kept_bytes=32, receiving_bytes=16, limit=48",
                    () -> log.receive(Updates.delta("d", 3)));
            last.close();
            Updates.commit(log, Updates.delta("d", 3));
            refused(AdminErrorCode.TOO_MANY_VERSIONS, "versions=3, limit=3", () -> log.rollback(1, 4));
            refused(AdminErrorCode.TOO_MANY_VERSIONS, "versions=3, limit=3", () -> log.receive(Updates.delta("e", 4)));
        }
        try (UpdateLog log = open(new UpdateLogLimits(1, 1, 1))) {
            assertEquals(4, log.currentVersion());
        }
    }

    @Test
    void shouldRefuseWhatTheDiskHasNoRoomFor() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        UpdateLog log = UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.fixed(NOW));
        storage.usableBytes(Updates.BYTES - 1);
        refused(AdminErrorCode.DISK_FULL, "byte_length=16, usable_bytes=15", () -> log.receive(Updates.delta("a", 1)));
        assertEquals(List.of(UpdateLog.MANIFEST), storage.list());
    }

    @Test
    void shouldKeepASecondServerOut() throws Exception {
        try (UpdateLog log = open()) {
            assertEquals(DataDirException.Problem.LOCKED, problem());
            Updates.commit(log, Updates.delta("a", 1));
        }
        try (UpdateLog log = open()) {
            assertEquals(2, log.currentVersion());
        }
    }

    @Test
    void shouldRefuseAnotherModelFile() throws Exception {
        commitOne();
        Files.writeString(model, "another");
        List<String> before = files();
        DataDirException e = assertThrows(DataDirException.class, this::open);
        assertEquals(DataDirException.Problem.WRONG_BASE, e.problem());
        assertTrue(String.valueOf(e.getMessage()).contains(Updates.BASE), e.getMessage());
        assertEquals(before, files());
    }

    @Test
    void shouldRefuseADamagedPayload() throws Exception {
        VersionRecord.Updated version = commitOne();
        Path payload = data.resolve(version.payloadFile());
        byte[] bytes = Files.readAllBytes(payload);
        bytes[3] ^= 1;
        Files.write(payload, bytes);
        assertEquals(DataDirException.Problem.PAYLOAD_DAMAGED, problem());
        Files.write(payload, new byte[Updates.BYTES - 1]);
        assertEquals(DataDirException.Problem.PAYLOAD_DAMAGED, problem());
        Files.delete(payload);
        assertEquals(DataDirException.Problem.PAYLOAD_MISSING, problem());
        assertEquals(List.of("lock", "manifest.json"), files());
    }

    @Test
    void shouldRefusePayloadsWithoutAManifest() throws Exception {
        commitOne();
        Files.delete(data.resolve(UpdateLog.MANIFEST));
        Files.writeString(data.resolve("spool-1.tmp"), "x");
        assertEquals(DataDirException.Problem.MANIFEST_MISSING, problem());
        assertEquals(3, files().size());
    }

    @Test
    void shouldRefuseEveryDamagedManifestAndChangeNothing() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (UpdateLog log = UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.fixed(NOW))) {
            Updates.commit(log, Updates.delta("a", 1));
            log.rollback(1, 2);
        }
        byte[] good = storage.content(UpdateLog.MANIFEST);
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 2_000; i++) {
            byte[] bad = i < good.length ? Arrays.copyOf(good, i) : good.clone();
            if (i >= good.length) {
                bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            }
            FaultyStorage damaged = storage.afterKill();
            damaged.put(UpdateLog.MANIFEST, bad);
            damaged.put("spool-1.tmp", bad);
            DataDirException e = assertThrows(DataDirException.class,
                    () -> UpdateLog.open(damaged, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.fixed(NOW)),
                    () -> new String(bad, StandardCharsets.ISO_8859_1));
            assertEquals(DataDirException.Problem.BAD_MANIFEST, e.problem());
            assertEquals(3, damaged.list().size());
            assertFalse(damaged.isOpen());
        }
    }

    @Test
    void shouldCleanUpWhatACrashLeftAndNothingElse() throws Exception {
        VersionRecord.Updated version = commitOne();
        for (String leftover : List.of("manifest.json.tmp", "spool-12.tmp", "payload-3-0123456789abcdef.bin", "notes.txt",
                "payload-3.bin.bak")) {
            Files.writeString(data.resolve(leftover), "x");
        }
        open().close();
        assertEquals(List.of("lock", "manifest.json", "notes.txt", version.payloadFile(), "payload-3.bin.bak"), files());
    }

    @Test
    void shouldKeepAThousandCommits() throws Exception {
        FaultyStorage storage = new FaultyStorage();
        try (UpdateLog log = UpdateLog.open(storage, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.fixed(NOW))) {
            for (long version = 1; version <= 1_000; version++) {
                if (version % 10 == 0) {
                    log.rollback(version - 5, version);
                } else {
                    Updates.commit(log, Updates.delta("u" + version, version));
                }
            }
        }
        try (UpdateLog log =
                UpdateLog.open(storage.afterKill(), Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.fixed(NOW))) {
            assertEquals(1_001, log.currentVersion());
            assertEquals(1_000, log.history().size());
            assertEquals(9 + 99 * 4, log.replay(1_000).size());
            assertEquals(100 * 4, log.replay(1_001).size());
        }
    }

    /** Event loops ask for it: of what is served it is known already. */
    @Test
    void shouldKnowTheHashOfAVersionWhenItIsCommitted() throws Exception {
        String second;
        try (UpdateLog log = open()) {
            Updates.commit(log, Updates.delta("a", 1));
            second = log.rebuilds().contentSha256(2);
            assertEquals(VersionHistory.contentSha256(new Manifest(log.baseSha256(), log.history()), 2), second);
            Updates.commit(log, Updates.delta("b", 2));
            assertSame(second, log.rebuilds().contentSha256(2), "it is not made anew");
            assertNotEquals(second, log.rebuilds().contentSha256(3));
            log.rollback(2, 3);
            assertEquals(second, log.rebuilds().contentSha256(4));
        }
        try (UpdateLog log = open()) {
            assertEquals(second, log.rebuilds().contentSha256(4));
        }
    }

    @Test
    void shouldRefuseWhenClosed() throws Exception {
        UpdateLog log = open();
        PayloadSpool spool = Updates.received(log, Updates.delta("a", 1));
        log.close();
        log.close();
        refused(AdminErrorCode.SHUTTING_DOWN, "closed", () -> log.commit(spool));
        refused(AdminErrorCode.SHUTTING_DOWN, "closed", () -> log.receive(Updates.delta("a", 1)));
        refused(AdminErrorCode.SHUTTING_DOWN, "closed", () -> log.rollback(1, 1));
        assertEquals(List.of("lock", "manifest.json"), files());
    }

    private VersionRecord.Updated commitOne() throws Exception {
        try (UpdateLog log = open()) {
            return Updates.commit(log, Updates.delta("a", 1));
        }
    }

    private DataDirException.Problem problem() {
        return assertThrows(DataDirException.class, this::open).problem();
    }

    static void refused(AdminErrorCode code, String message, Executable action) {
        AdminException e = assertThrows(AdminException.class, action);
        assertEquals(code, e.code(), e.getMessage());
        assertNotNull(e.getMessage());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }
}
