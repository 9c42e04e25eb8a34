package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.store.CheckpointFiles;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.ReplayPlan;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.admin.store.directory.DataDirException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A start from a checkpoint, and the bits of all its tensors, which are those of a start from the model file. */
class CheckpointTest {
    private static final int V = DeskFixture.VOCABULARY;
    private static final int H = DeskFixture.HIDDEN;
    private static final DeskFixture.Options TAME = DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0).tame());
    private static final DeskFixture.Options EVERY_FOUR = TAME.with(new CheckpointPolicy(4, 1 << 30));
    private static final DeskFixture.Options NEVER = TAME.with(new CheckpointPolicy(0, 1));

    @TempDir
    Path temp;

    private static float[] values(int count, long seed) {
        float[] values = new float[count];
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * 0.1f;
        }
        return values;
    }

    /** Of every kind, on the embedding, another matrix, and a vector, in turn. */
    private static DeskFixture.Update update(long base) {
        String id = "u" + base;
        return switch ((int) (base % 5)) {
            case 0 -> DeskFixture.rows(id, base, new int[] {(int) base % V}, values(H, base));
            case 1 -> DeskFixture.delta(id, base, "blk.1.attn_q.weight", List.of((long) H, (long) H), values(H * H, base));
            case 2 -> DeskFixture.lowRank(id, base, 2, values(2 * (V + H), base));
            case 3 -> DeskFixture.delta(id, base, "output_norm.weight", List.of((long) H), values(H, base));
            default -> DeskFixture.replace(id, base, "blk.0.attn_k.weight", List.of(32L, (long) H), values(32 * H, base));
        };
    }

    /** As a server does: after every change, what is to be done for later. */
    private static void send(DeskFixture f, int updates) throws AdminException {
        for (int i = 0; i < updates; i++) {
            f.send(update(f.epochs.weightsVersion()));
            f.desk.maintain(() -> false);
        }
    }

    private Path data() {
        return temp.resolve("data");
    }

    private static Map<String, String> bits(DeskFixture f) {
        return TensorBits.of(f.current());
    }

    private List<String> checkpoints() throws IOException {
        try (Stream<Path> files = Files.list(data())) {
            return files.map(file -> file.getFileName().toString()).filter(CheckpointFiles::isOurs).sorted().toList();
        }
    }

    private Path checkpoint() throws IOException {
        assertEquals(1, checkpoints().size(), checkpoints().toString());
        return data().resolve(checkpoints().getFirst());
    }

    private static ReplayPlan plan(DeskFixture f) throws AdminException {
        return log(f).rebuilds().plan(f.epochs.weightsVersion());
    }

    private static UpdateLog log(DeskFixture f) {
        UpdateLog log = f.log;
        assertTrue(log != null, "no data directory");
        return log;
    }

    /** Where the history is opened without checkpoints, as it was before there were any. */
    private Map<String, String> bitsOfAReplay(DeskFixture.Options options) throws Exception {
        Path copy = Files.createDirectory(temp.resolve("replay" + System.nanoTime()));
        try (Stream<Path> files = Files.list(data())) {
            for (Path file : files.filter(f -> !CheckpointFiles.isOurs(f.getFileName().toString())).toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        try (DeskFixture f = new DeskFixture(copy, options)) {
            assertEquals(UpdateLog.BASE_VERSION, plan(f).from());
            return bits(f);
        }
    }

    @ParameterizedTest
    @EnumSource(value = TensorFormat.class, names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
    void shouldStartFromACheckpointWithTheSameBits(TensorFormat format) throws Exception {
        DeskFixture.Options options = EVERY_FOUR.with(new RandomLlama(format).tame());
        Map<String, String> served;
        try (DeskFixture f = new DeskFixture(data(), options)) {
            send(f, 10);
            served = bits(f);
            assertEquals(List.of(5L, 9L), log(f).rebuilds().checkpoints().stream().sorted().toList());
        }
        try (DeskFixture f = new DeskFixture(data(), options)) {
            assertEquals(new ReplayPlan(9, plan(f).steps()), plan(f));
            assertEquals(List.of("u9", "u10"), plan(f).updates().stream().map(VersionRecord.WithPayload::updateId).toList());
            assertEquals(served, bits(f));
            send(f, 2);
            served = bits(f);
        }
        assertEquals(served, bitsOfAReplay(options.with(new CheckpointPolicy(0, 1))));
    }

    @Test
    void shouldApplyNothingAgainAfterManyUpdates() throws Exception {
        Map<String, String> served;
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 112);
            served = bits(f);
            assertEquals(List.of(109L, 113L), log(f).rebuilds().checkpoints().stream().sorted().toList());
        }
        try (LoggedLines logged = new LoggedLines(EpochBuilder.class.getName()); DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            assertEquals(List.of("INFO rebuilding: weights_version=113, from_version=113, updates=0, payload_bytes=0"), logged.lines());
            assertEquals(served, bits(f));
        }
        assertEquals(served, bitsOfAReplay(NEVER));
    }

    @Test
    void shouldGoBackToVersionsBeforeAfterAndBetweenCheckpoints() throws Exception {
        Map<Long, Map<String, String>> versions = new TreeMap<>();
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            for (int i = 0; i < 14; i++) {
                versions.put(f.epochs.weightsVersion(), bits(f));
                send(f, 1);
            }
        }
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            for (long version : new long[] {3, 9, 11, 13, 1, 10, 5}) {
                f.rollback(version);
                f.desk.maintain(() -> false);
                assertEquals(versions.get(version), bits(f), "version " + version);
            }
            assertEquals(versions.get(5L), bits(f));
            send(f, 5); // from version 5 on: the checkpoints of 9 and 13 are not on this way
            assertEquals(1, plan(f).updates().size());
            versions.put(0L, bits(f));
        }
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            assertEquals(versions.get(0L), bits(f));
            assertTrue(plan(f).from() > 15, plan(f).toString());
        }
        assertEquals(versions.get(0L), bitsOfAReplay(NEVER));
    }

    @Test
    void shouldIgnoreADamagedCheckpointWithAWarning() throws Exception {
        Map<String, String> served;
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 6);
            served = bits(f);
        }
        Path file = checkpoint();
        byte[] whole = Files.readAllBytes(file);
        List<byte[]> damaged = new ArrayList<>();
        for (int at : new int[] {0, 8, 12, 16, 24, 56, 88, 92, 110, whole.length / 2, whole.length - 9, whole.length - 1}) {
            byte[] flipped = whole.clone();
            flipped[at] ^= 0x40;
            damaged.add(flipped);
        }
        damaged.add(new byte[0]);
        damaged.add(Arrays.copyOf(whole, 40));
        damaged.add(Arrays.copyOf(whole, whole.length - 1));
        damaged.add(Arrays.copyOf(whole, whole.length + 1));
        damaged.add(new byte[whole.length]);
        for (byte[] bytes : damaged) {
            Files.write(file, bytes);
            try (LoggedLines logged = new LoggedLines(CheckpointFiles.LOGGER); DeskFixture f = new DeskFixture(data(), NEVER)) {
                assertEquals(served, bits(f));
                assertEquals(1, logged.lines().size(), logged.lines().toString());
                assertTrue(logged.lines().getFirst().startsWith("WARN checkpoint is "), logged.lines().toString());
                assertTrue(logged.lines().getFirst().contains(file.toString()), logged.lines().toString());
            }
            assertEquals(List.of(), checkpoints(), "removed");
        }
    }

    @Test
    void shouldGoBackEvenIfTheCheckpointWasDamagedSinceTheStart() throws Exception {
        Map<String, String> sixth;
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 5);
            sixth = bits(f);
            f.send(update(6));
        }
        try (LoggedLines logged = new LoggedLines(CheckpointFiles.LOGGER); DeskFixture f = new DeskFixture(data(), NEVER)) {
            Path file = checkpoint();
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 3] ^= 1;
            Files.write(file, bytes);
            f.rollback(6);
            assertEquals(sixth, bits(f));
            assertEquals(List.of("WARN checkpoint is damaged and removed, its updates are applied again: %s: its checksums are other ones"
                    .formatted(file)), logged.lines());
            assertEquals(List.of(), checkpoints());
        }
    }

    @Test
    void shouldIgnoreACheckpointOfAnotherHistory() throws Exception {
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 4);
        }
        Path other = Files.move(checkpoint(), temp.resolve("of-another-history"));
        try (Stream<Path> files = Files.list(data())) {
            files.forEach(file -> assertTrue(file.toFile().delete()));
        }
        Map<String, String> served;
        try (DeskFixture f = new DeskFixture(data(), NEVER)) {
            for (long base = 1; base < 5; base++) {
                f.send(DeskFixture.rows("other" + base, base, new int[] {3}, values(H, -base)));
            }
            served = bits(f);
            String name = CheckpointFiles.name(data(), 5);
            Files.copy(other, data().resolve(name));
            Files.copy(other, data().resolve("checkpoint-99-0123456789abcdef.bin"));
        }
        try (LoggedLines logged = new LoggedLines(CheckpointFiles.LOGGER); DeskFixture f = new DeskFixture(data(), NEVER)) {
            assertEquals(served, bits(f));
            assertEquals(2, logged.lines().size(), logged.lines().toString());
        }
        assertEquals(List.of(), checkpoints());
    }

    @Test
    void shouldReadPayloadsBeforeACheckpointWhenARollbackNeedsThem() throws Exception {
        Path payload;
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 5);
            payload = log(f).payload((VersionRecord.Updated) log(f).history().get(1));
        }
        byte[] whole = Files.readAllBytes(payload);
        byte[] flipped = whole.clone();
        flipped[flipped.length / 2] ^= 1;
        Files.write(payload, flipped);
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            Map<String, String> served = bits(f);
            AdminException refused = assertThrows(AdminException.class, () -> f.rollback(3));
            assertEquals(AdminErrorCode.INTERNAL, refused.code());
            assertTrue(String.valueOf(refused.getMessage()).startsWith("payload of version 3 is damaged: "), refused.getMessage());
            assertEquals(6, f.epochs.weightsVersion());
            assertEquals(served, bits(f));
            f.rollback(2);
            Files.write(payload, whole);
            f.rollback(3);
        }
        Files.write(payload, flipped);
        Files.delete(checkpoint());
        assertThrows(DataDirException.class, () -> new DeskFixture(data(), EVERY_FOUR), "without a checkpoint it is needed at the start");
    }

    @Test
    void shouldNotStartWithWhatNeitherACheckpointNorPayloadsGive() throws Exception {
        Path payload;
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 5);
            payload = log(f).payload((VersionRecord.Updated) log(f).history().get(1));
        }
        for (Path file : List.of(payload, checkpoint())) {
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length / 2] ^= 1;
            Files.write(file, bytes);
        }
        AdminException refused = assertThrows(AdminException.class, () -> new DeskFixture(data(), EVERY_FOUR));
        assertTrue(String.valueOf(refused.getMessage()).startsWith("payload of version 3 is damaged: "), refused.getMessage());
    }

    @Test
    void shouldWriteOneForManyBytes() throws Exception {
        long bytes = update(2).payload().length;
        try (DeskFixture f = new DeskFixture(data(), TAME.with(new CheckpointPolicy(1000, bytes + 1)))) {
            f.send(DeskFixture.lowRank("a", 1, 2, values(2 * (V + H), 1)));
            f.desk.maintain(() -> false);
            assertEquals(List.of(), checkpoints());
            f.send(DeskFixture.lowRank("b", 2, 2, values(2 * (V + H), 2)));
            f.desk.maintain(() -> false);
            assertEquals(1, checkpoints().size());
        }
    }

    @Test
    void shouldGiveUpAndLeaveNothingBehind() throws Exception {
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            for (int i = 0; i < 4; i++) {
                f.send(update(f.epochs.weightsVersion()));
            }
            int[] pieces = {0};
            f.desk.maintain(() -> pieces[0]++ == 1);
            assertEquals(2, pieces[0]);
            assertEquals(List.of(), checkpoints());
            assertFalse(f.events.told.contains("checkpoint"), f.events.told.toString());
            f.desk.maintain(() -> false);
            assertEquals(1, checkpoints().size());
            assertEquals(1, f.events.told.stream().filter("checkpoint"::equals).count());
            f.desk.maintain(() -> false);
            assertEquals(1, f.events.told.stream().filter("checkpoint"::equals).count(), "once is enough");
        }
    }

    @Test
    void shouldTakeNoMemoryWhenItIsWritten() throws Exception {
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 3);
            f.send(update(4));
            long before = f.current().familyBytes();
            f.desk.maintain(() -> false);
            assertEquals(before, f.current().familyBytes());
            send(f, 1);
            assertEquals(before, f.current().familyBytes(), "the version that was written is not held");
        }
    }

    @Test
    void shouldNameWhatItIsOfInTheFile() throws Exception {
        try (DeskFixture f = new DeskFixture(data(), EVERY_FOUR)) {
            send(f, 4);
            byte[] bytes = Files.readAllBytes(checkpoint());
            assertEquals("TIDECKPT", new String(bytes, 0, 8, StandardCharsets.US_ASCII));
            assertEquals(log(f).baseSha256(), HexFormat.of().formatHex(bytes, 24, 56));
            assertNotEquals(log(f).baseSha256(), HexFormat.of().formatHex(bytes, 56, 88));
        }
    }
}
