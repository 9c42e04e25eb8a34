package dev.tidestream.server.admin.service;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.RandomLlama;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.SafetensorsPayload;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.directory.Sha256;

import static dev.tidestream.server.admin.service.FileUpdate.matrix;
import static dev.tidestream.server.admin.service.FileUpdate.numbers;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Updates whose payload is in a safetensors file of the update directory. */
class SafetensorsUpdateTest {
    private static final String T = DeskFixture.EMBEDDING;
    private static final String FILE = "u.safetensors";
    private static final FileUpdate ROWS = FileUpdate.rows(PayloadType.F32, "I64", 97, 3, 40);

    /** Its scales leave room for what is added. */
    private static final DeskFixture.Options TAME = DeskFixture.Options.DEFAULT.with(new RandomLlama(TensorFormat.Q8_0).tame());

    @TempDir
    Path temp;

    private Path data = Path.of("");
    private Path updates = Path.of("");

    @BeforeEach
    void makeDirectories() throws IOException {
        data = Files.createDirectory(temp.resolve("data"));
        updates = Files.createDirectory(temp.resolve("updates"));
    }

    private DeskFixture desk() throws Exception {
        return new DeskFixture(data, TAME.withUpdateDir(updates));
    }

    static Stream<FileUpdate> everyKind() {
        return Stream.of(
                FileUpdate.whole(UpdateKind.REPLACE, PayloadType.F32),
                FileUpdate.whole(UpdateKind.REPLACE, PayloadType.BF16),
                FileUpdate.whole(UpdateKind.DELTA, PayloadType.F32),
                FileUpdate.whole(UpdateKind.DELTA, PayloadType.F16),
                FileUpdate.rows(PayloadType.F32, "I32", 97, 3, 40),
                FileUpdate.rows(PayloadType.BF16, "I32", 0),
                FileUpdate.rows(PayloadType.F32, "I64", 97, 3, 40),
                FileUpdate.rows(PayloadType.F16, "I64", 99),
                FileUpdate.lowRank(PayloadType.F32, 3),
                FileUpdate.lowRank(PayloadType.F16, 5));
    }

    @ParameterizedTest
    @MethodSource("everyKind")
    void shouldMakeTheSameBitsAsFrames(FileUpdate update) throws Exception {
        float[][] wanted;
        AdminReply.Ack ack;
        try (DeskFixture f = new DeskFixture(Files.createDirectory(temp.resolve("other")), TAME)) {
            ack = f.send(new DeskFixture.Update(update.request(null), update.payload()));
            wanted = f.embedding();
        }
        update.write(updates.resolve(FILE));
        try (DeskFixture f = desk()) {
            assertFalse(Arrays.deepEquals(wanted, f.embedding()), "it changes something");
            AdminReply.Ack fromFile = f.desk.handle(update.request(FILE), DeskFixture.SILENT);
            assertArrayEquals(wanted, f.embedding());
            assertEquals(2, fromFile.weightsVersion());
            assertEquals(ack.details().get("changed_rows"), fromFile.details().get("changed_rows"));
            assertEquals(List.of("updated"), f.events.told);
        }
        Files.delete(updates.resolve(FILE));
        try (DeskFixture f = desk()) {
            assertArrayEquals(wanted, f.embedding(), "a restart does without the file");
        }
    }

    @Test
    void shouldApplyTheSameContentOnceWhicheverWayItComes() throws Exception {
        ROWS.write(updates.resolve(FILE));
        try (DeskFixture f = desk()) {
            assertEquals(false, f.desk.handle(ROWS.request(FILE), DeskFixture.SILENT).details().get("repeated"));
            Files.delete(updates.resolve(FILE));
            assertEquals(true, f.desk.handle(ROWS.request(FILE), DeskFixture.SILENT).details().get("repeated"));
            assertEquals(true, f.send(new DeskFixture.Update(ROWS.request(null), ROWS.payload())).details().get("repeated"));
            assertEquals(2, f.epochs.weightsVersion());
            assertEquals(List.of("updated"), f.events.told);
        }
    }

    @Test
    void shouldPassOnMoreThanAChunk() throws Exception {
        int n = 300_000; // as I64, more than two chunks; as I32, more than one
        FileUpdate update = FileUpdate.rows(PayloadType.F16, "I64", LongStream.range(0, n).map(i -> n - i).toArray());
        update.write(updates.resolve(FILE));
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        AtomicInteger chunks = new AtomicInteger();
        try (SafetensorsPayload payload = SafetensorsPayload.open(updates.resolve(FILE), update.spec())) {
            payload.writeTo(chunk -> {
                assertTrue(chunk.remaining() > 0 && chunk.remaining() <= 1 << 20, chunk.toString());
                byte[] bytes = new byte[chunk.remaining()];
                chunk.get(bytes);
                written.writeBytes(bytes);
                chunks.incrementAndGet();
            });
        }
        assertArrayEquals(update.payload(), written.toByteArray());
        assertTrue(chunks.get() > 2, "chunks=" + chunks);
    }

    /** @param message parts of what is said */
    record Refused(FileUpdate update, AdminErrorCode code, String... message) {
        @Override
        public String toString() {
            return code.wireName() + " " + String.join(" ", message);
        }
    }

    static Stream<Refused> everyRefusal() {
        FileUpdate replace = FileUpdate.whole(UpdateKind.REPLACE, PayloadType.F32);
        FileUpdate lowRank = FileUpdate.lowRank(PayloadType.F16, 3);
        return Stream.of(
                new Refused(replace.withPart(T), AdminErrorCode.INVALID_FILE, "no tensor 'token_embd.weight'"),
                new Refused(ROWS.withPart(T), AdminErrorCode.INVALID_FILE, "no tensor 'token_embd.weight'"),
                new Refused(ROWS.withPart(T + ".rows"), AdminErrorCode.INVALID_FILE, "no tensor 'token_embd.weight.rows'"),
                new Refused(lowRank.withPart(T + ".A"), AdminErrorCode.INVALID_FILE, "no tensor 'token_embd.weight.A'"),
                new Refused(lowRank.withPart(T + ".B"), AdminErrorCode.INVALID_FILE, "no tensor 'token_embd.weight.B'"),
                new Refused(replace.withPart(T, matrix(T, PayloadType.BF16, 100, 64)), AdminErrorCode.INVALID_DTYPE,
                        "'token_embd.weight'", "dtype=f32", "file=BF16"),
                new Refused(lowRank.withPart(T + ".B", matrix(T + ".B", PayloadType.F32, 3, 64)), AdminErrorCode.INVALID_DTYPE,
                        "'token_embd.weight.B'", "dtype=f16", "file=F32"),
                new Refused(ROWS.withPart(T + ".rows", new FileUpdate.Part(T + ".rows", "F32", List.of(3L), new byte[12])),
                        AdminErrorCode.INVALID_DTYPE, "'token_embd.weight.rows'", "must be I32 or I64: F32"),
                new Refused(ROWS.withPart(T + ".rows", new FileUpdate.Part(T + ".rows", "U8", List.of(3L), new byte[3])),
                        AdminErrorCode.INVALID_DTYPE, "'token_embd.weight.rows'", "U8"),
                new Refused(replace.withPart(T, matrix(T, PayloadType.F32, 64, 100)), AdminErrorCode.INVALID_SHAPE,
                        "'token_embd.weight'", "shape=[64, 100]", "needed=[100, 64]"),
                new Refused(lowRank.withPart(T + ".A", matrix(T + ".A", PayloadType.F16, 100, 2)), AdminErrorCode.INVALID_SHAPE,
                        "'token_embd.weight.A'", "shape=[100, 2]", "needed=[100, 3]"),
                new Refused(ROWS.withPart(T + ".rows", numbers("I32", 97, 3)), AdminErrorCode.INVALID_SHAPE,
                        "'token_embd.weight.rows'", "shape=[2]", "needed=[3]"),
                new Refused(ROWS.withPart(T + ".rows", numbers("I64", 97, (1L << 32) + 3, 40)), AdminErrorCode.INVALID_VALUE,
                        "token_embd.weight.rows[1]=4294967299"),
                new Refused(ROWS.withPart(T + ".rows", numbers("I64", Long.MIN_VALUE, 3, 40)), AdminErrorCode.INVALID_VALUE,
                        "token_embd.weight.rows[0]=-9223372036854775808"),
                new Refused(FileUpdate.rows(PayloadType.F32, "I64", 3, 100), AdminErrorCode.INVALID_VALUE, "100"),
                new Refused(ROWS.withPart(T + ".rows", numbers("I64", 97, 3, 41)), AdminErrorCode.CHECKSUM_MISMATCH,
                        "sha256=", "announced=" + Sha256.of(ROWS.payload())));
    }

    @ParameterizedTest
    @MethodSource("everyRefusal")
    void shouldRefuseAFileWithoutAnyChange(Refused refused) throws Exception {
        refused.update().write(updates.resolve(FILE));
        try (DeskFixture f = desk()) {
            refuses(f, refused.update(), FILE, refused.code(), refused.message());
            ROWS.write(updates.resolve(FILE));
            assertEquals(2, f.desk.handle(ROWS.request(FILE), DeskFixture.SILENT).weightsVersion(), "its id is free");
        }
    }

    @Test
    void shouldRefuseWhatIsNoSafetensorsFile() throws Exception {
        Files.write(updates.resolve(FILE), new byte[7]);
        try (DeskFixture f = desk()) {
            refuses(f, ROWS, FILE, AdminErrorCode.INVALID_FILE, "bytes=7");
        }
    }

    @Test
    void shouldRefuseMoreThanIsAnnounced() throws Exception {
        ROWS.write(updates.resolve(FILE));
        FileUpdate shorter = new FileUpdate(ROWS.kind(), ROWS.type(), ROWS.shape(), 0, ROWS.parts(), new byte[5]);
        FileUpdate longer = new FileUpdate(ROWS.kind(), ROWS.type(), ROWS.shape(), 0, ROWS.parts(), new byte[1000]);
        try (DeskFixture f = desk()) {
            refuses(f, shorter, FILE, AdminErrorCode.INVALID_LENGTH, "received_bytes=12", "byte_length=5");
            refuses(f, longer, FILE, AdminErrorCode.INVALID_LENGTH, "received_bytes=780", "byte_length=1000");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret", "outside", "door/secret", "/secret", "nothing", "folder", "a\0b"})
    void shouldRefuseAPathThatLeadsToNoFileInside(String path) throws Exception {
        ROWS.write(temp.resolve("secret"));
        Files.createSymbolicLink(updates.resolve("outside"), temp.resolve("secret"));
        Files.createSymbolicLink(updates.resolve("door"), temp);
        Files.createDirectory(updates.resolve("folder"));
        try (DeskFixture f = desk()) {
            refuses(f, ROWS, path, AdminErrorCode.INVALID_PATH, "path=" + path);
        }
    }

    @Test
    void shouldRefusePathsWithoutAnUpdateDirectory() throws Exception {
        ROWS.write(updates.resolve(FILE));
        try (DeskFixture f = new DeskFixture(data)) {
            refuses(f, ROWS, FILE, AdminErrorCode.INVALID_PATH, "--update-dir DIR", "path=" + FILE);
        }
    }

    private void refuses(DeskFixture f, FileUpdate update, String path, AdminErrorCode code, String... message) throws IOException {
        LoadedModel served = f.current();
        float[][] embedding = f.embedding();
        Set<String> files = files(data);
        AdminException e = assertThrows(AdminException.class, () -> f.desk.handle(update.request(path), DeskFixture.SILENT));
        assertEquals(code, e.code(), e.getMessage());
        for (String part : message) {
            assertTrue(String.valueOf(e.getMessage()).contains(part), e.getMessage());
        }
        assertSame(served, f.current());
        assertArrayEquals(embedding, f.embedding());
        assertEquals(UpdateLog.BASE_VERSION, f.epochs.weightsVersion());
        assertEquals(1, f.epochs.liveEpochs());
        assertEquals(Set.of("manifest.json", "lock"), files);
        assertEquals(files, files(data));
    }

    private static Set<String> files(Path directory) throws IOException {
        try (Stream<Path> list = Files.list(directory)) {
            return list.map(path -> path.getFileName().toString()).collect(Collectors.toSet());
        }
    }
}
