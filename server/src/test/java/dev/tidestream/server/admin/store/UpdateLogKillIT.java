package dev.tidestream.server.admin.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.tensor.WeightTensor;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.server.admin.store.checkpoint.CheckpointFormat;
import dev.tidestream.server.admin.store.checkpoint.CheckpointReader;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code kill -9} at random instants of a real process on a real disk; see {@link UpdateLogCrashTest} for loss of power. */
class UpdateLogKillIT {
    private static final int KILLS = Integer.getInteger("tidestream.log.kills", 10);
    /** A history begins anew so often, lest the children spend their lives on checking it. */
    private static final int KILLS_PER_DIRECTORY = 10;
    private static final int MAX_LINES_FIRST = 6;
    private static final int MAX_RUN_MICROS = 60_000;
    private static final int MAX_START_MICROS = 400_000;

    @TempDir
    Path temp;

    private long versions;
    private long unacknowledged;
    private long checkpointsFound;

    @Test
    void shouldHaveEveryAcknowledgedVersionAfterKillAtRandomInstants() throws Exception {
        long seed = Long.getLong("tidestream.seed", System.nanoTime());
        System.out.println("UpdateLogKillIT: -Dtidestream.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        Path model = Files.writeString(temp.resolve("model.gguf"), "base");
        Path data = temp;
        long committed = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            if (kill % KILLS_PER_DIRECTORY == 0) {
                committed += versions;
                versions = 0;
                data = temp.resolve("data" + kill);
            }
            boolean whileStarting = random.nextInt(5) == 0;
            int least = whileStarting ? 0 : 1 + random.nextInt(MAX_LINES_FIRST);
            long acknowledged =
                    runAndKill(model, data, least, random.nextInt(whileStarting ? MAX_START_MICROS : MAX_RUN_MICROS));
            check(model, data, acknowledged, "seed=%d, kill %d".formatted(seed, kill));
        }
        committed += versions;
        System.out.printf("UpdateLogKillIT: kills=%d, versions=%d, of them committed but not acknowledged=%d, checkpoints found=%d%n",
                KILLS, committed, unacknowledged, checkpointsFound);
        assertTrue(checkpointsFound > KILLS / 10, "the children hardly came to write checkpoints: " + checkpointsFound);
        assertTrue(committed > KILLS, "the children hardly came to commit: versions=" + committed);
    }

    /**
     * Returns the last version that the child acknowledged; 0 if none.
     *
     * @param least lines that the child prints before the clock of the kill begins to run, however slow the machine is
     */
    private long runAndKill(Path model, Path data, int least, long micros) throws IOException, InterruptedException {
        Path printed = temp.resolve("printed");
        Process child = command(model, data).redirectOutput(printed.toFile()).start();
        try {
            while (lines(printed).size() < least) {
                assertFalse(child.waitFor(1, TimeUnit.MILLISECONDS), "the child ended by itself");
            }
            assertFalse(child.waitFor(micros, TimeUnit.MICROSECONDS), "the child ended by itself");
        } finally {
            child.destroyForcibly().waitFor();
        }
        List<String> lines = lines(printed);
        return lines.size() < 2 ? 0 : Long.parseLong(lines.getLast());
    }

    private ProcessBuilder command(Path model, Path data) {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m",
                        "-cp", System.getProperty("java.class.path"), UpdateLogKillChild.class.getName(),
                        data.toString(), model.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT);
    }

    /** What the child has printed, without a line that was cut off. */
    private static List<String> lines(Path printed) throws IOException {
        String text = Files.readString(printed);
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    }

    /** Whatever has the name of a checkpoint has all of it. */
    private static void requireReadable(Path data, Set<Long> versions, String where) throws Exception {
        Manifest manifest = Manifest.parse(Files.readAllBytes(data.resolve(UpdateLog.MANIFEST)));
        for (long version : versions) {
            String name = "checkpoint-%d-%s.bin".formatted(version, VersionHistory.sha256(manifest, version).substring(0, 16));
            WeightTensor expected = Updates.tensors(version).firstEntry().getValue();
            List<CheckpointFormat.Part> parts = List.of(CheckpointFormat.Part.of("token_embd.weight", expected));
            byte[] prefix = CheckpointFormat.prefix(version, manifest.baseSha256(), VersionHistory.sha256(manifest, version));
            try (InputStream in = Files.newInputStream(data.resolve(name))) {
                OwnedTensor read = new CheckpointReader(in, Files.size(data.resolve(name)), prefix, parts, WorkerTeam.sequential(),
                        (stage, done, of) -> {}).read().values().iterator().next();
                assertArrayEquals(((WeightTensor.Vector) expected).values(), ((WeightTensor.Vector) read.tensor()).values(), where);
            }
        }
    }

    private void check(Path model, Path data, long acknowledged, String where) throws Exception {
        long before = Math.max(versions + UpdateLog.BASE_VERSION, acknowledged);
        try (UpdateLog log = UpdateLog.open(data, Updates.sha256(model), UpdateLogLimits.DEFAULT, InstantSource.system())) {
            long current = log.currentVersion();
            assertTrue(current == before || current == before + 1,
                    "%s: acknowledged=%d, found=%d".formatted(where, before, current));
            unacknowledged += current - before;
            int payloads = 0;
            for (VersionRecord version : log.history()) {
                if (version instanceof VersionRecord.Updated u) {
                    assertEquals("u" + u.baseVersion(), u.spec().updateId(), where);
                    assertArrayEquals(Updates.payload(u.spec().updateId()), Files.readAllBytes(log.payload(u)), where);
                    payloads++;
                }
            }
            Set<Long> checkpoints = log.rebuilds().checkpoints();
            assertTrue(checkpoints.size() <= Checkpoints.KEPT && checkpoints.stream().allMatch(version -> version <= current), where);
            checkpointsFound += checkpoints.size();
            try (var files = Files.list(data)) {
                assertEquals(2 + payloads + checkpoints.size(), files.count(), where);
            }
            requireReadable(data, checkpoints, where);
            versions = current - UpdateLog.BASE_VERSION;
        }
    }
}
