package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.VersionsDesk.Pruned;
import dev.tidestream.server.admin.VersionsDesk.VersionInfo;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.epoch.Lease;

import static dev.tidestream.server.admin.service.DeskFixture.code;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Old versions are gone, newer ones have the bits that they had, in this process and after a restart. */
class PruneTest {
    private static final int H = DeskFixture.HIDDEN;
    private static final DeskFixture.Options OPTIONS = DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0).tame())
            .with(new CheckpointPolicy(0, 1));

    @TempDir
    Path temp;

    private Path data() {
        return temp.resolve("data");
    }

    private static void send(DeskFixture f, int updates) throws AdminException {
        for (int i = 0; i < updates; i++) {
            long base = f.epochs.weightsVersion();
            f.send(base % 2 == 0 ? DeskFixture.rows("u" + base, base, new int[] {(int) base}, DeskFixture.randomValues(H, base))
                    : DeskFixture.delta("u" + base, base, "output_norm.weight", List.of((long) H), DeskFixture.randomValues(H, base)));
        }
    }

    private List<String> files(String prefix) throws IOException {
        try (Stream<Path> files = Files.list(data())) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith(prefix))
                    .map(name -> name.substring(prefix.length()).split("-", -1)[0]).sorted().toList();
        }
    }

    private static Map<String, String> bits(DeskFixture f) {
        return TensorBits.of(f.current());
    }

    @Test
    void shouldBeginAtTheCompactedBaseAfterARestart() throws Exception {
        Map<Long, Map<String, String>> versions = new TreeMap<>();
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            versions.put(1L, bits(f));
            for (int i = 0; i < 7; i++) {
                send(f, 1);
                versions.put(f.epochs.weightsVersion(), bits(f));
            }
            assertEquals(new Pruned(1, 0, 0), f.desk.versions().prune(8));
            Pruned pruned = f.desk.versions().prune(3);
            assertEquals(6, pruned.keptFrom());
            assertEquals(4, pruned.versions());
            assertTrue(pruned.bytes() > 0, pruned.toString());
            assertEquals(List.of("7", "8"), files("payload-"));
            assertEquals(List.of("6"), files("checkpoint-"));
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> f.rollback(5)));
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> f.desk.versions().verify(2)));
            assertEquals(new Pruned(6, 0, 0), f.desk.versions().prune(3));
            assertEquals(new Pruned(6, 0, 0), f.desk.versions().prune(100));
            for (long version : new long[] {6, 7, 8, 1}) {
                assertTrue(f.desk.versions().verify(version).isSound(), "version " + version);
            }
        }
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            assertEquals(6, Objects.requireNonNull(f.log).rebuilds().plan(8).from());
            assertEquals(versions.get(8L), bits(f));
            List<VersionInfo> all = f.desk.versions().list(1, 100);
            assertEquals(List.of(2L, 3L, 4L, 5L), all.stream().filter(VersionInfo::gone).map(VersionInfo::version).toList());
            assertEquals(List.of("u7", "u6"), all.reversed().stream().filter(info -> info.bytes() > 0).map(VersionInfo::updateId).toList());
            for (long version : new long[] {6, 7, 1}) {
                f.rollback(version);
                assertEquals(versions.get(version), bits(f), "version " + version);
            }
            f.rollback(8);
            send(f, 2);
            versions.put(0L, bits(f));
            assertEquals(AdminErrorCode.VERSION_GONE, code(() -> f.rollback(4)));
        }
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            assertEquals(versions.get(0L), bits(f));
        }
    }

    @Test
    void shouldKeepWhatStreamsHold() throws Exception {
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            send(f, 3);
            try (Lease held = f.epochs.lease()) {
                send(f, 1);
                assertEquals(4, held.epoch().weightsVersion());
                Pruned pruned = f.desk.versions().prune(1);
                assertEquals(4, pruned.keptFrom());
                assertEquals(2, pruned.versions());
                assertTrue(f.desk.versions().verify(4).isSound());
            }
            assertEquals(5, f.desk.versions().prune(1).keptFrom());
            assertEquals(List.of("5"), files("checkpoint-"));
            assertEquals(List.of(), files("payload-"));
        }
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            assertEquals(5, Objects.requireNonNull(f.log).rebuilds().plan(5).from());
        }
    }

    /** The current weights are those of a version that is not kept any more. */
    @Test
    void shouldKeepWhatALaterVersionWentBackTo() throws Exception {
        Map<String, String> third;
        Map<String, String> newest;
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            send(f, 2);
            third = bits(f);
            send(f, 2);
            f.rollback(3); // 6
            send(f, 1); // 7
            newest = bits(f);
            assertEquals(5, f.desk.versions().prune(3).keptFrom());
            assertEquals(List.of("5", "6"), files("checkpoint-"));
            assertEquals(List.of("7"), files("payload-"));
        }
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            assertEquals(newest, bits(f));
            f.rollback(6);
            assertEquals(third, bits(f));
        }
    }

    @Test
    void shouldChangeNothingWithoutMemoryForTheBase() throws Exception {
        long bytes;
        try (DeskFixture f = new DeskFixture(data(), OPTIONS)) {
            send(f, 5);
            bytes = f.current().familyBytes() + 2 * f.current().tensor(DeskFixture.EMBEDDING).orElseThrow().bytes()
                    + 2 * f.current().tensor("output_norm.weight").orElseThrow().bytes();
        }
        try (DeskFixture f = new DeskFixture(data(), OPTIONS.withBudget(bytes)); Lease held = f.epochs.lease()) { // room for a restart
            send(f, 1);
            assertEquals(6, held.epoch().weightsVersion());
            assertEquals(AdminErrorCode.BUDGET_EXCEEDED, code(() -> f.desk.versions().prune(3)), "5 must be built beside 6 and 7");
            assertEquals(6, files("payload-").size());
            assertEquals(6, f.desk.versions().prune(1).keptFrom(), "which is in memory");
        }
    }
}
