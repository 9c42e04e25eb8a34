package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.TrialsDesk;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.UpdatesDesk.Committed;
import dev.tidestream.server.admin.UpdatesDesk.PartUpload;
import dev.tidestream.server.admin.VersionsDesk.Export;
import dev.tidestream.server.admin.VersionsDesk.ExportFormat;
import dev.tidestream.server.admin.VersionsDesk.Pruned;
import dev.tidestream.server.admin.VersionsDesk.VersionInfo;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.canary.CanaryEnd;
import dev.tidestream.server.canary.CanaryReport;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.RollbackRule;
import dev.tidestream.server.canary.ShadowLimits;
import dev.tidestream.server.canary.Trials;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.safetensors.SafetensorsWriter;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Pruning while versions wait to be published, and a canary tries one of them: what can be published keeps its bits. */
class HeldPruneTest {
    private static final int H = DeskFixture.HIDDEN;
    private static final DeskFixture.Options OPTIONS = DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0).tame())
            .with(new CheckpointPolicy(0, 1)); // one held version in memory

    @TempDir
    Path temp;

    private DeskFixture open() throws Exception {
        return new DeskFixture(temp.resolve("data"), OPTIONS);
    }

    private static TrialsDesk trials(DeskFixture f) {
        return f.desk.trials(
                Trials.over(f.epochs, DeskFixture::forward, ShadowLimits.DEFAULT, Runnable::run, InstantSource.system()));
    }

    private static void send(DeskFixture f) throws AdminException {
        long base = f.epochs.weightsVersion();
        f.send(DeskFixture.rows("u" + base, base, new int[] {(int) base}, DeskFixture.randomValues(H, base)));
    }

    private long hold(DeskFixture f, String id) throws AdminException, IOException {
        Path part = temp.resolve(id);
        new SafetensorsWriter().add("model.norm.weight", List.of((long) H), DeskFixture.randomValues(H, id.hashCode())).write(part);
        byte[] bytes = Files.readAllBytes(part);
        UpdatesDesk updates = f.desk.updates().orElseThrow();
        updates.open(new UpdatesDesk.Opening(id, f.epochs.weightsVersion(), id, Optional.empty(), true));
        try (PartUpload upload = updates.receive(id, 0, Sha256.of(bytes), bytes.length).orElseThrow()) {
            upload.accept(ByteBuffer.wrap(bytes));
            upload.finish();
        }
        Committed done = updates.commit(id, OptionalInt.of(1), Optional.empty());
        assertTrue(done.held(), id);
        return done.version();
    }

    private static Map<String, String> bits(DeskFixture f, long version) {
        try (Lease lease = f.epochs.lease(version).orElseThrow()) {
            return TensorBits.of(lease.epoch().loaded());
        }
    }

    private List<String> files(String prefix) throws IOException {
        try (Stream<Path> files = Files.list(temp.resolve("data"))) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith(prefix))
                    .map(name -> name.substring(prefix.length()).split("-", -1)[0]).sorted().toList();
        }
    }

    private static List<Long> held(DeskFixture f) {
        return f.desk.versions().list(1, 100).stream().filter(VersionInfo::held).map(VersionInfo::version).toList();
    }

    private static List<Long> gone(DeskFixture f) {
        return f.desk.versions().list(1, 100).stream().filter(VersionInfo::gone).map(VersionInfo::version).toList();
    }

    private static CanarySpec canary(long version) {
        return new CanarySpec(version, 1, CanarySpec.By.SEED, RollbackRule.NON_FINITE_ONLY);
    }

    /** Versions 3, 4 and 5 are made of 2; 3 is published. */
    private Map<Long, Map<String, String>> history(DeskFixture f, TrialsDesk desk) throws Exception {
        Map<Long, Map<String, String>> versions = new TreeMap<>();
        send(f);
        for (long version = 3; version <= 5; version++) {
            assertEquals(version, hold(f, "held-" + version));
            versions.put(version, bits(f, version));
        }
        assertTrue(desk.publish(3));
        return versions;
    }

    @Test
    void shouldKeepWhatCanBePublishedWhileACanaryRuns() throws Exception {
        Map<Long, Map<String, String>> versions;
        try (DeskFixture f = open()) {
            TrialsDesk desk = trials(f);
            versions = history(f, desk);
            desk.begin(canary(4));
            try (Lease stream = f.epochs.lease(7, "")) {
                assertEquals(4, stream.epoch().weightsVersion());
                Pruned pruned = f.desk.versions().prune(1);
                assertEquals(3, pruned.keptFrom());
                assertEquals(1, pruned.versions());
                assertEquals(List.of("3", "4", "5"), files("checkpoint-"), "all were made of version 2, which is gone");
                assertEquals(List.of("4", "5"), files("payload-"));
                assertTrue(desk.canary().filter(CanaryReport::runs).isPresent());
                assertEquals(List.of(4L, 5L), held(f));
                assertEquals(List.of(2L), gone(f));
                assertEquals(versions.get(4L), TensorBits.of(stream.epoch().loaded()));
            }
            for (long version = 3; version <= 5; version++) {
                assertTrue(f.desk.versions().verify(version).isSound(), "version " + version);
            }
            try (Export export = f.desk.versions().export(5, ExportFormat.GGUF)) {
                assertTrue(export.next().isPresent(), "held, and on disk only");
            }
            assertEquals(4, desk.promote());
            assertEquals(CanaryEnd.PROMOTED, Objects.requireNonNull(desk.canary().orElseThrow().end()).why());
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> desk.begin(canary(2))));
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> desk.publish(2)));
            assertEquals(versions.get(4L), TensorBits.of(f.current()));
        }
        try (DeskFixture f = open()) {
            TrialsDesk desk = trials(f);
            assertEquals(versions.get(4L), TensorBits.of(f.current()));
            f.desk.restoreHeld();
            assertEquals(versions.get(5L), bits(f, 5));
            assertTrue(desk.publish(5));
            send(f);
            assertTrue(f.desk.versions().verify(6).isSound());
            f.rollback(3);
            assertEquals(versions.get(3L), TensorBits.of(f.current()));
        }
    }

    /** Version 4 was overtaken by 6: it is pruned as any other, and its number is no reason to keep more. */
    @Test
    void shouldPruneHeldVersionsThatWereOvertaken() throws Exception {
        Map<Long, Map<String, String>> versions;
        try (DeskFixture f = open()) {
            TrialsDesk desk = trials(f);
            versions = history(f, desk);
            desk.begin(canary(5));
            send(f);
            assertEquals(CanaryEnd.SUPERSEDED, Objects.requireNonNull(desk.canary().orElseThrow().end()).why());
            versions.put(6L, TensorBits.of(f.current()));
            assertEquals(List.of(), held(f));
            assertEquals(5, f.desk.versions().prune(2).keptFrom());
            assertEquals(List.of(2L, 3L, 4L), gone(f));
            assertEquals(List.of("5", "6"), files("checkpoint-"), "6 was made of 3");
            assertEquals(7, hold(f, "held-7"));
            assertEquals(6, f.desk.versions().prune(1).keptFrom());
            assertEquals(List.of(7L), held(f));
            versions.put(7L, bits(f, 7));
        }
        try (DeskFixture f = open()) {
            TrialsDesk desk = trials(f);
            assertEquals(versions.get(6L), TensorBits.of(f.current()));
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> f.rollback(5)));
            assertTrue(desk.publish(7));
            assertEquals(versions.get(7L), TensorBits.of(f.current()));
            assertFalse(desk.publish(7));
        }
    }
}
