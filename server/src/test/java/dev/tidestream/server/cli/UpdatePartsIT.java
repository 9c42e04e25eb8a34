package dev.tidestream.server.cli;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.store.directory.Sha256;
import dev.tidestream.server.transport.AdminClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Updates of many tensors in binary frames of the admin channel, on the embedded model. */
class UpdatePartsIT {
    private static final int H = 256;
    private static final int ROWS = 1000;

    @TempDir
    Path temp;

    private static byte[] rows(float value) {
        float[] values = new float[ROWS * H];
        int[] numbers = new int[ROWS];
        for (int i = 0; i < values.length; i++) {
            values[i] = value + i % 7;
            numbers[i / H] = i / H;
        }
        return new Parts().with("kind", "rows").ints("token_embd.weight.rows", numbers)
                .floats("token_embd.weight.values", List.of(ROWS, H), values).bytes();
    }

    private static AdminRequest.OpenUpdate open(String id) {
        return new AdminRequest.OpenUpdate("open", id, 1, "in frames", Optional.empty(), false);
    }

    private static AdminRequest.UpdatePart part(String id, int number, byte[] part, long offset) {
        return new AdminRequest.UpdatePart("part", id, number, Sha256.of(part), part.length, offset);
    }

    private static AdminRequest.CommitUpdate commit(String id, int parts) {
        return new AdminRequest.CommitUpdate("commit", id, OptionalInt.of(parts), Optional.empty());
    }

    private static AdminReply answer(AdminClient admin, String ref) throws InterruptedException {
        return admin.untilAnswer(ref).getLast();
    }

    private static Map<String, Object> state(AdminClient admin, String id) throws InterruptedException {
        AdminReply reply = answer(admin.send(new AdminRequest.UpdateState("state", id)), "state");
        return ((AdminReply.Ack) reply).details();
    }

    private static long number(Map<String, Object> state, String list, String name) {
        Object first = ((List<?>) state.getOrDefault(list, List.of())).getFirst();
        return (Long) Objects.requireNonNull(((Map<?, ?>) first).get(name));
    }

    private static void awaitReceived(AdminClient admin, String id, long bytes) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (number(state(admin, id), "begun", "received") < bytes) {
            assertTrue(System.nanoTime() - deadlineNs < 0, "never received: bytes=" + bytes);
        }
    }

    /** The connection that had it may not be quite gone. */
    private static void goOn(AdminClient admin, byte[] part, long from, long to) throws InterruptedException {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            AdminReply reply = admin.send(part("u", 0, part, from)).next();
            if (!(reply instanceof AdminReply.Failed(var _, AdminErrorCode code, String message))) {
                break;
            }
            assertEquals(AdminErrorCode.BUSY, code, message);
            assertTrue(System.nanoTime() - deadlineNs < 0, message);
        }
        admin.sendBinary(part, (int) from, (int) to, true);
    }

    @Test
    void shouldGoOnWithAPartWhereAConnectionOrTheServerEnded() throws Exception {
        byte[] part = rows(1);
        int third = part.length / 3;
        try (StartedServer server = new StartedServer(temp)) {
            try (AdminClient admin = new AdminClient(server.port(), StartedServer.TOKEN)) {
                admin.send(open("u")).ack("open");
                admin.send(part("u", 0, part, 0)).sendBinary(part, 0, third, true);
                awaitReceived(admin, "u", third);
            }
            try (AdminClient admin = new AdminClient(server.port(), StartedServer.TOKEN)) {
                goOn(admin, part, third, 2L * third);
                awaitReceived(admin, "u", 2L * third);
            }
        }
        try (StartedServer server = new StartedServer(temp);
                AdminClient admin = new AdminClient(server.port(), StartedServer.TOKEN)) {
            assertEquals(2L * third, number(state(admin, "u"), "begun", "received"));
            goOn(admin, part, 2L * third - 5, part.length); // less than is there will do, too
            Map<String, Object> whole = ((AdminReply.Ack) answer(admin, "part")).details();
            assertEquals(List.of(), whole.get("begun"));
            assertEquals(part.length, number(whole, "parts", "bytes"));
            AdminReply.Ack done = (AdminReply.Ack) answer(admin.send(commit("u", 1)), "commit");
            assertEquals(2, done.weightsVersion());
            assertEquals(Map.of("token_embd.weight", (long) ROWS), done.details().get("changed"));
            assertEquals("in frames", done.details().get("label"));
            assertEquals(true, ((AdminReply.Ack) answer(admin.send(commit("u", 1)), "commit")).details().get("repeated"));
            assertEquals("committed", state(admin, "u").get("state"));
        }
    }

    @Test
    void shouldRefuseWhatIsNotAsAnnouncedAndTakePartsOfBothWays() throws Exception {
        byte[] part = rows(2);
        try (StartedServer server = new StartedServer(temp);
                AdminClient admin = new AdminClient(server.port(), StartedServer.TOKEN);
                AdminClient other = new AdminClient(server.port(), StartedServer.TOKEN)) {
            refused(admin.send(new AdminRequest.UpdateState("s", "u")), "s", AdminErrorCode.UNKNOWN_UPDATE);
            refused(admin.send(part("u", 0, part, 0)), "part", AdminErrorCode.UNKNOWN_UPDATE);
            assertEquals("open", admin.send(open("u")).ack("open").details().get("state"));
            refused(admin.send(new AdminRequest.OpenUpdate("open", "u", 1, "another", Optional.empty(), false)), "open",
                    AdminErrorCode.UPDATE_CONFLICT);
            refused(admin.send(part("u", 0, part, 1)), "part", AdminErrorCode.INVALID_VALUE);
            refused(admin.send(new AdminRequest.UpdatePart("part", "u", 0, "0".repeat(64), part.length, 0))
                    .sendBinary(part, 0, part.length, true), "part", AdminErrorCode.CHECKSUM_MISMATCH);
            assertEquals(List.of(), state(admin, "u").get("begun"));
            admin.send(part("u", 0, part, 0)).sendBinary(part, 0, 100, true);
            awaitReceived(other, "u", 100);
            refused(other.send(part("u", 0, part, 100)), "part", AdminErrorCode.BUSY);
            admin.sendBinary(part, 100, part.length, true);
            assertTrue(answer(admin, "part") instanceof AdminReply.Ack);
            assertTrue(answer(admin.send(part("u", 0, part, 0)), "part") instanceof AdminReply.Ack, "it is there");
            put(server, "u", 1, new Parts().floats("output_norm.weight", List.of(H), new float[H]).bytes());
            refused(admin.send(commit("u", 3)), "commit", AdminErrorCode.INCOMPLETE);
            assertEquals(2, ((AdminReply.Ack) answer(admin.send(commit("u", 2)), "commit")).weightsVersion());
            refused(admin.send(open("late")), "open", AdminErrorCode.STALE_BASE_VERSION);
            admin.send(new AdminRequest.OpenUpdate("open", "v", 2, "", Optional.of("error"), false)).ack("open");
            assertEquals("aborted", admin.send(new AdminRequest.AbortUpdate("abort", "v")).ack("abort").details().get("state"));
            refused(admin.send(commit("v", 1)), "commit", AdminErrorCode.UNKNOWN_UPDATE);
        }
    }

    private static void refused(AdminClient admin, String ref, AdminErrorCode code) throws InterruptedException {
        AdminReply reply = answer(admin, ref);
        assertTrue(reply instanceof AdminReply.Failed failed && failed.code() == code, reply.toString());
    }

    private static void put(StartedServer server, String id, int number, byte[] part) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            assertEquals(204, http.send(HttpRequest.newBuilder()
                    .uri(URI.create("http://127.0.0.1:%d/admin/weights/updates/%s/parts/%d".formatted(server.port(), id, number)))
                    .header("authorization", "Bearer " + StartedServer.TOKEN).header("x-content-sha256", Sha256.of(part))
                    .PUT(HttpRequest.BodyPublishers.ofByteArray(part)).build(), HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
