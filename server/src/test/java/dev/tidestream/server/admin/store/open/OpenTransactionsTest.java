package dev.tidestream.server.admin.store.open;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.DirectoryStorage;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.admin.store.directory.Storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OpenTransactionsTest {
    private static final OpenLimits LIMITS = new OpenLimits(2, 3, 100, 150, Duration.ofHours(1));
    private static final OpenRequest A = new OpenRequest("a", 1, "first", "");

    @TempDir
    Path temp;

    private Storage storage;
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private OpenTransactions open;

    @BeforeEach
    void start() throws Exception {
        storage = DirectoryStorage.open(temp);
        open = new OpenTransactions(storage, LIMITS, () -> now, id -> false);
    }

    @AfterEach
    void stop() throws IOException {
        storage.close();
    }

    private void restart(String... committed) throws Exception {
        storage.close();
        storage = DirectoryStorage.open(temp);
        open = new OpenTransactions(storage, LIMITS, () -> now, Set.of(committed)::contains);
    }

    private void send(String id, int number, String text) throws AdminException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (PartSpool spool = open.receive(id, number, Sha256.of(bytes), bytes.length).orElseThrow()) {
            spool.accept(ByteBuffer.wrap(bytes));
            spool.finish();
        }
    }

    private String text(OpenPart part) throws IOException {
        return Files.readString(open.path(part));
    }

    private Set<String> files() throws IOException {
        Set<String> files = new TreeSet<>(storage.list());
        files.remove("lock");
        return files;
    }

    private static void refused(AdminErrorCode code, Executable call) {
        assertEquals(code, assertThrows(AdminException.class, call).code());
    }

    @Test
    void shouldFindWhatWasAcknowledgedAfterARestart() throws Exception {
        open.open(A);
        send("a", 1, "one");
        send("a", 0, "zero");
        send("a", 1, "one again");
        PartSpool cut = open.receive("a", 2, Sha256.of("two".getBytes(StandardCharsets.UTF_8)), 3).orElseThrow();
        cut.accept(ByteBuffer.wrap("tw".getBytes(StandardCharsets.UTF_8)));
        restart();
        OpenTransactions.State state = open.find("a").orElseThrow();
        assertEquals(A, state.request());
        assertEquals(List.of(0, 1), state.parts().stream().map(OpenPart::number).toList());
        assertEquals("zero", text(state.parts().getFirst()));
        assertEquals("one again", text(state.parts().getLast()));
        assertEquals(3, files().size(), () -> "what was not complete is gone");
        restart("a");
        assertTrue(open.find("a").isEmpty());
        assertEquals(Set.of(), files());
    }

    private PartSpool goOn(String id, int number, String whole, int offset) throws AdminException {
        byte[] bytes = whole.getBytes(StandardCharsets.UTF_8);
        PartSpool spool = open.resume(id, number, Sha256.of(bytes), bytes.length, offset).orElseThrow();
        boolean more = true;
        while (more) {
            more = spool.takeUp(2);
        }
        return spool;
    }

    private void accept(PartSpool spool, String text) throws AdminException {
        spool.accept(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    private List<Long> received(String id) {
        return open.halves(id).stream().map(OpenHalf::received).toList();
    }

    @Test
    void shouldGoOnWithAPartWhereItWasGivenUp() throws Exception {
        open.open(A);
        try (PartSpool spool = goOn("a", 0, "abcdefgh", 0)) {
            accept(spool, "abcde");
            assertEquals(List.of(5L), received("a"));
            refused(AdminErrorCode.BUSY, () -> goOn("a", 0, "abcdefgh", 5));
        }
        refused(AdminErrorCode.INVALID_VALUE, () -> goOn("a", 0, "abcdefgh", 6));
        restart();
        assertEquals(List.of(5L), received("a"));
        try (PartSpool spool = goOn("a", 0, "abcdefgh", 4)) {
            accept(spool, "efgh");
            spool.finish();
        }
        assertEquals(List.of(), received("a"));
        assertEquals("abcdefgh", text(open.find("a").orElseThrow().parts().getFirst()));
        assertEquals(2, files().size());
    }

    @Test
    void shouldForgetAPartThatHasComeToNothing() throws Exception {
        open.open(A);
        try (PartSpool spool = goOn("a", 0, "abcd", 0)) {
            accept(spool, "abce");
            refused(AdminErrorCode.CHECKSUM_MISMATCH, spool::finish);
        }
        assertEquals(List.of(), received("a"));
        try (PartSpool spool = goOn("a", 0, "abcd", 0)) {
            accept(spool, "ab");
        }
        try (PartSpool spool = goOn("a", 0, "another", 0)) { // of this number, from its start
            accept(spool, "anoth");
        }
        assertEquals(List.of(5L), received("a"));
        assertEquals(2, files().size());
        goOn("a", 1, "x".repeat(100), 0).close(); // room is kept for the whole of it
        refused(AdminErrorCode.TOO_MANY_BYTES, () -> goOn("a", 2, "x".repeat(60), 0));
        open.abort("a");
        assertEquals(Set.of(), files());
    }

    @Test
    void shouldTakeNoPartThatIsNotWhatWasAnnounced() throws Exception {
        open.open(A);
        byte[] bytes = "abc".getBytes(StandardCharsets.UTF_8);
        try (PartSpool spool = open.receive("a", 0, Sha256.of(bytes), 3).orElseThrow()) {
            refused(AdminErrorCode.INVALID_LENGTH, () -> spool.accept(ByteBuffer.wrap("abcd".getBytes(StandardCharsets.UTF_8))));
        }
        try (PartSpool spool = open.receive("a", 0, Sha256.of(bytes), 3).orElseThrow()) {
            refused(AdminErrorCode.INVALID_LENGTH, spool::finish);
        }
        try (PartSpool spool = open.receive("a", 0, Sha256.of(bytes), 3).orElseThrow()) {
            spool.accept(ByteBuffer.wrap("abd".getBytes(StandardCharsets.UTF_8)));
            refused(AdminErrorCode.CHECKSUM_MISMATCH, spool::finish);
        }
        assertEquals(1, files().size());
        send("a", 0, "abc");
        assertTrue(open.receive("a", 0, Sha256.of(bytes), 3).isEmpty(), "it is there already");
    }

    @Test
    void shouldKeepItsBounds() throws Exception {
        open.open(A);
        open.open(new OpenRequest("b", 1, "", ""));
        refused(AdminErrorCode.BUSY, () -> open.open(new OpenRequest("c", 1, "", "")));
        refused(AdminErrorCode.UPDATE_CONFLICT, () -> open.open(new OpenRequest("a", 2, "first", "")));
        String sha256 = Sha256.of(new byte[0]);
        refused(AdminErrorCode.TOO_MANY_BYTES, () -> open.receive("a", 0, sha256, 101));
        refused(AdminErrorCode.INVALID_VALUE, () -> open.receive("a", -1, sha256, 1));
        refused(AdminErrorCode.UNKNOWN_UPDATE, () -> open.receive("c", 0, sha256, 1));
        send("a", 0, "x".repeat(100));
        try (PartSpool coming = open.receive("b", 0, sha256, 40).orElseThrow()) {
            refused(AdminErrorCode.TOO_MANY_BYTES, () -> open.receive("b", 1, sha256, 11));
            assertEquals(40, coming.byteLength());
        }
        send("a", 1, "y");
        send("a", 2, "z");
        refused(AdminErrorCode.INVALID_VALUE, () -> open.receive("a", 3, sha256, 1));
    }

    @Test
    void shouldGiveUpWhatGetsNothingForTooLong() throws Exception {
        open.open(A);
        now = now.plus(Duration.ofMinutes(59));
        send("a", 0, "in time");
        now = now.plus(Duration.ofMinutes(59));
        open.sweep();
        assertTrue(open.find("a").isPresent());
        now = now.plus(Duration.ofMinutes(2));
        open.sweep();
        assertTrue(open.find("a").isEmpty());
        assertEquals(Set.of(), files());
    }

    @Test
    void shouldChangeNothingOfWhatIsBeingCommitted() throws Exception {
        open.open(A);
        send("a", 0, "zero");
        OpenTransactions.State state = open.committing("a");
        refused(AdminErrorCode.BUSY, () -> send("a", 1, "one"));
        refused(AdminErrorCode.BUSY, () -> open.abort("a"));
        refused(AdminErrorCode.BUSY, () -> open.committing("a"));
        open.notCommitted("a");
        send("a", 1, "one");
        assertTrue(!open.find("a").orElseThrow().manifestSha256().equals(state.manifestSha256()));
        open.committing("a");
        open.committed("a");
        assertEquals(Set.of(), files());
    }
}
