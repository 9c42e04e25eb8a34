package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.DataDirException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Versions that are durable and not served. */
class HeldVersionsTest {
    private static final Instant NOW = Instant.parse("2026-11-23T05:00:00Z");

    @TempDir
    Path data;

    private UpdateLog open() throws DataDirException {
        return UpdateLog.open(data, Updates.BASE, UpdateLogLimits.DEFAULT, InstantSource.fixed(NOW));
    }

    private static long commit(UpdateLog log, String id, long base, boolean hold) throws AdminException {
        byte[] bytes = Updates.payload(id);
        TransactionPayload payload = log.beginPayload(id, base, bytes.length);
        payload.write(ByteBuffer.wrap(bytes));
        payload.finish();
        TensorChange change = new TensorChange("token_embd.weight", ChangeKind.DELTA, List.of(2L, 2L),
                PayloadType.F32, 0, 0, bytes.length, Optional.empty());
        TransactionSpec spec = new TransactionSpec(id, base, "", payload.sha256(), List.of(change), payload.sha256(), bytes.length);
        return log.commit(spec, payload, hold).weightsVersion();
    }

    private static void refused(AdminErrorCode code, Executable call) {
        assertEquals(code, assertThrows(AdminException.class, call).code());
    }

    private String manifest() throws IOException {
        return Files.readString(data.resolve(UpdateLog.MANIFEST), StandardCharsets.UTF_8);
    }

    @Test
    void shouldHoldAVersionUntilItIsPublishedOverRestarts() throws Exception {
        try (UpdateLog log = open()) {
            assertEquals(2, commit(log, "a", 1, false));
            assertFalse(manifest().contains("held"));
            assertEquals(3, commit(log, "b", 2, true));
            assertEquals(2, log.currentVersion());
            assertEquals(3, log.newestVersion());
            assertTrue(manifest().contains("\"held\":[3]"));
        }
        try (UpdateLog log = open()) {
            assertEquals(2, log.currentVersion());
            assertEquals(List.of(3L), List.copyOf(log.held()));
            assertEquals(2, log.replay(3).size(), "it was made of version 2");
            refused(AdminErrorCode.UNKNOWN_VERSION, () -> log.publish(2));
            refused(AdminErrorCode.UNKNOWN_VERSION, () -> log.publish(4));
            refused(AdminErrorCode.STALE_BASE_VERSION, () -> commit(log, "c", 3, false));
            log.publish(3);
            assertEquals(3, log.currentVersion());
            refused(AdminErrorCode.UNKNOWN_VERSION, () -> log.publish(3));
            assertFalse(manifest().contains("held"));
        }
        try (UpdateLog log = open()) {
            assertEquals(3, log.currentVersion());
            assertEquals(4, commit(log, "c", 3, false));
        }
    }

    @Test
    void shouldBuildOnWhatIsServedAndNotOnWhatIsHeld() throws Exception {
        try (UpdateLog log = open()) {
            commit(log, "a", 1, true);
            assertEquals(3, commit(log, "b", 1, false), "numbers are not used twice");
            assertEquals(3, log.currentVersion());
            assertEquals(List.of("b"), log.replay(3).stream().map(VersionRecord.WithPayload::updateId).toList());
            assertEquals(List.of("a"), log.replay(2).stream().map(VersionRecord.WithPayload::updateId).toList());
            assertTrue(log.held().isEmpty(), "an older one cannot be published");
            refused(AdminErrorCode.UNKNOWN_VERSION, () -> log.publish(2));
            assertEquals(4, log.rollback(2, 3).weightsVersion(), "but be gone back to");
            assertEquals(List.of("a"), log.replay(4).stream().map(VersionRecord.WithPayload::updateId).toList());
        }
        try (UpdateLog log = open()) {
            assertEquals(4, log.currentVersion());
        }
    }

    @Test
    void shouldPublishOneOfSeveral() throws Exception {
        try (UpdateLog log = open()) {
            commit(log, "a", 1, true);
            commit(log, "b", 1, true);
            commit(log, "c", 1, true);
            refused(AdminErrorCode.UNKNOWN_VERSION, () -> log.rollback(3, 1));
            log.publish(3);
            assertEquals(3, log.currentVersion());
            assertEquals(List.of(4L), List.copyOf(log.held()));
            assertEquals(5, commit(log, "d", 3, false));
            assertEquals(5, log.currentVersion());
        }
    }

    @Test
    void shouldRefuseAManifestThatHoldsWhatIsNotThere() throws Exception {
        try (UpdateLog log = open()) {
            commit(log, "a", 1, true);
        }
        Manifest good = Manifest.parse(Files.readAllBytes(data.resolve(UpdateLog.MANIFEST)));
        for (long wrong : new long[] {0, 1, 3}) {
            Manifest bad = new Manifest(good.baseSha256(), good.versions(), new TreeSet<>(List.of(wrong)));
            assertThrows(IllegalArgumentException.class, () -> Manifest.parse(bad.toBytes()), "held=" + wrong);
        }
    }
}
