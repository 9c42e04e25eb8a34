package dev.tidestream.server.transport;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.admin.AdminCodec;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminFrameMutator;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.protocol.admin.AdminProtocolException;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.protocol.admin.UpdateKind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Administrators that send nonsense, one after the other; each fault is answered before the next is sent. Updates are rows of the
 * starter model's embedding, so that what is wrong with them is what is meant to be. The same seed gives the same faults.
 */
public final class AdminFaults implements AutoCloseable {
    private static final String RIGHT = "Sec-WebSocket-Protocol: tidestream.admin.v1\r\n";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int ROW_VALUES = 256;
    private static final int ROW_BYTES = Integer.BYTES + ROW_VALUES * Float.BYTES;
    private static final int MAX_ROWS = 20;
    private static final int FAR_TOO_LARGE = 1 << 30;
    private static final int MAX_SHOWN = 200;

    private final int port;
    private final String token;
    private final long seed;
    private final Predicate<AdminRequest.WeightsUpdate> received;
    private final Predicate<AdminRequest> harmless;
    private final BooleanSupplier settled;
    private final SplittableRandom random;
    private final AdminFrameMutator frames;
    private final AdminCodec codec = new AdminCodec(AdminProtocol.MAX_REQUEST_CHARS);
    private final Map<AdminErrorCode, Integer> codes = new EnumMap<>(AdminErrorCode.class);
    private AdminClient client;
    private int valid;
    private int declined;
    private int applied;
    private int refused;
    private int number;
    private String last = "";

    /**
     * Connects.
     *
     * @param received whether the server takes the payload of this update, which a mutated frame turned out to be
     * @param harmless whether this request, which a mutated frame turned out to be, is no fault at all: it is not sent
     * @param settled whether nothing is left on the server of updates that were not finished
     */
    public AdminFaults(
            int port,
            String token,
            long seed,
            Predicate<AdminRequest.WeightsUpdate> received,
            Predicate<AdminRequest> harmless,
            BooleanSupplier settled) {
        this.port = port;
        this.token = token;
        this.seed = seed;
        this.received = received;
        this.harmless = harmless;
        this.settled = settled;
        this.random = new SplittableRandom(seed);
        this.frames = new AdminFrameMutator(random.split());
        this.client = connect();
    }

    /**
     * Commits so many faults, and waits until the server has dealt with all of them.
     *
     * @param before is told the number of each, from 0
     */
    public void run(int faults, IntConsumer before) {
        try {
            for (int i = 0; i < faults; i++) {
                before.accept(i);
                next();
            }
            awaitSettled();
            barrier();
        } catch (AssertionError | Exception e) {
            throw new AssertionError("seed=" + seed + ", " + this, e);
        }
    }

    /** Requests that the server had to answer itself, be it with a refusal; those with a payload are not counted. */
    public int valid() {
        return valid;
    }

    /** Those among the valid ones that it refused. */
    public int declined() {
        return declined;
    }

    /** Updates that it acknowledged. */
    public int applied() {
        return applied;
    }

    /** Faults that were refused. */
    public int refused() {
        return refused;
    }

    /** How many different codes came. */
    public int codes() {
        return codes.size();
    }

    private void next() throws Exception {
        number++;
        int kind = random.nextInt(100);
        if (kind < 69) {
            mutated();
        } else if (kind < 70) {
            noWebSocket();
        } else if (kind < 74) {
            last = "{\"type\":\"stats\",\"ref\":\"big\",\"x\":\"" + "x".repeat(65_530 + random.nextInt(5_000)) + "\"}";
            expect(client.send(last), "big", AdminErrorCode.FRAME_TOO_LARGE);
        } else if (kind < 82) {
            wrongPayload();
        } else if (kind < 88) {
            last = "too long";
            byte[] payload = payload();
            announce(payload);
            client.sendBinary(new byte[payload.length + 1 + random.nextInt(5000)]);
            expect(client, ref(), AdminErrorCode.INVALID_LENGTH);
        } else if (kind < 92) {
            refusedWithPayload();
        } else if (kind < 96) {
            truncated();
        } else if (kind < 98) {
            last = "unexpected";
            reconnect();
            expect(client.sendBinary(payload()), null, AdminErrorCode.UNEXPECTED_BINARY);
        } else {
            wrongToken();
        }
    }

    /** Whether it is still a request, the codec says; then the desk must see it, otherwise the client the code. */
    private void mutated() throws Exception {
        String frame = frames.next();
        last = StandardCharsets.UTF_8.newEncoder().canEncode(frame) ? frame : "{\"type\":" + number;
        AdminRequest request;
        try {
            request = codec.decodeRequest(last);
        } catch (AdminProtocolException e) {
            assertEquals(e.toFailed(), client.send(last).next());
            count(e.code());
            return;
        }
        if (harmless.test(request)) {
            return;
        }
        client.send(last);
        if (request instanceof AdminRequest.WeightsUpdate update && update.path() == null) {
            if (received.test(update)) {
                client.progress(update.ref(), "receiving", 0, update.byteLength());
                client.sendBinary(new byte[(int) update.byteLength()]);
                expect(client, update.ref(), AdminErrorCode.CHECKSUM_MISMATCH);
            } else {
                count(failed(answer(client, update.ref())).code());
            }
        } else {
            valid++;
            if (answer(client, request.ref()) instanceof AdminReply.Failed failed) {
                declined++;
                count(failed.code());
            }
        }
    }

    private void noWebSocket() throws Exception {
        last = "no WebSocket";
        String headers = "Authorization: Bearer " + token + "\r\n" + RIGHT;
        try (RawSocket raw = new RawSocket(port, "GET /v1/admin", headers)) {
            switch (random.nextInt(3)) {
                case 0 -> {
                    raw.frame(0x81, new byte[] {'{', (byte) 0xC3, (byte) 0x28});
                    assertEquals(1007, raw.closeCode());
                }
                case 1 -> {
                    raw.header(0x82, FAR_TOO_LARGE);
                    assertEquals(1009, raw.closeCode());
                }
                default -> {
                    raw.frame(0x80, new byte[] {'x'});
                    assertEquals(1002, raw.closeCode());
                }
            }
        }
        refused++;
    }

    private void wrongPayload() throws Exception {
        last = "wrong payload";
        byte[] payload = payload();
        announce(payload);
        payload[random.nextInt(payload.length)] ^= (byte) (1 << random.nextInt(8));
        int cut = random.nextInt(payload.length + 1);
        client.sendBinary(payload, 0, cut, random.nextBoolean()).sendBinary(payload, cut, payload.length, true);
        expect(client, ref(), AdminErrorCode.CHECKSUM_MISMATCH);
    }

    /** A stale version, a wrong shape, or a row that does not exist, which some desks do not mind; the payload follows all the same. */
    private void refusedWithPayload() throws Exception {
        last = "refused with payload";
        byte[] payload = payload();
        boolean stale = random.nextBoolean();
        client.send(AdminClient.CODEC.encode(rows(ref(), stale ? "stale" : "u", stale ? 2 : 1, payload))
                .replace("\"shape\":[", "\"shape\":[" + (random.nextBoolean() ? "" : "9,")));
        int cut = random.nextInt(payload.length + 1);
        client.sendBinary(payload, 0, cut, false).sendBinary(payload, cut, payload.length, true);
        if (answer(client, ref()) instanceof AdminReply.Failed failed) {
            count(failed.code());
        } else {
            applied++;
        }
        barrier();
    }

    private void truncated() throws Exception {
        last = "truncated";
        byte[] payload = payload();
        announce(payload);
        client.progress(ref(), "receiving", 0, payload.length);
        client.sendBinary(payload, 0, random.nextInt(payload.length), random.nextBoolean());
        refused++;
        if (random.nextBoolean()) {
            client.abort();
            client = connect();
        } else {
            reconnect();
        }
        awaitSettled();
    }

    private void wrongToken() throws Exception {
        last = "wrong token";
        String wrong = token.substring(0, random.nextInt(token.length())) + "x".repeat(random.nextInt(100));
        String headers = random.nextBoolean()
                ? "Authorization: Bearer " + wrong + "\r\n" + RIGHT
                : "Sec-WebSocket-Protocol: bearer." + wrong + ", tidestream.admin.v1\r\n";
        try (RawSocket raw = new RawSocket(port, "GET /v1/admin", headers)) {
            assertTrue(raw.response.startsWith("HTTP/1.1 401"), headers + raw.response);
            assertTrue(raw.body().contains("\"unauthorized\""));
        }
        count(AdminErrorCode.UNAUTHORIZED);
    }

    /**
     * Announces an update on each of so many connections: all are received at the same time, and one more is not. Then the first is
     * finished, which makes the others stale.
     */
    public void fillPlaces(int places) throws InterruptedException {
        List<AdminClient> clients = new ArrayList<>();
        try {
            byte[] payload = new byte[ROW_BYTES]; // row 0, all zeros
            for (int i = 0; i < places; i++) {
                clients.add(connect().send(rows("p" + i, "place" + i, 1, payload)));
                clients.getLast().progress("p" + i, "receiving", 0, payload.length);
            }
            client.send(rows("more", "more", 1, payload)).failed("more", AdminErrorCode.BUSY, "payloads=" + places);
            for (int i = 0; i < places; i++) {
                AdminReply reply = answer(clients.get(i).sendBinary(payload), "p" + i);
                assertTrue(i == 0
                        ? reply instanceof AdminReply.Ack ack && ack.weightsVersion() == 2
                        : reply instanceof AdminReply.Failed f && f.code() == AdminErrorCode.STALE_BASE_VERSION, reply.toString());
            }
        } finally {
            clients.forEach(AdminClient::close);
        }
    }

    private void awaitSettled() throws InterruptedException {
        long deadlineNs = System.nanoTime() + PATIENCE.toNanos();
        while (!settled.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadlineNs, "something is left behind");
            barrier();
        }
    }

    private void barrier() throws InterruptedException {
        client.barrier("s" + number);
        valid++;
    }

    private AdminClient connect() {
        return new AdminClient(port, token);
    }

    private void reconnect() {
        client.close();
        client = connect();
    }

    private String ref() {
        return "r" + number;
    }

    /** Some rows with anything in them; the first has a number that no row has. */
    private byte[] payload() {
        byte[] payload = new byte[ROW_BYTES * (1 + random.nextInt(MAX_ROWS))];
        random.nextBytes(payload);
        ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).putInt(-1);
        return payload;
    }

    private void announce(byte[] payload) {
        client.send(rows(ref(), "u" + number, 1, payload));
    }

    private static AdminRequest.WeightsUpdate rows(String ref, String updateId, long base, byte[] payload) {
        return new AdminRequest.WeightsUpdate(ref, updateId, base, "token_embd.weight", UpdateKind.ROWS,
                List.of((long) payload.length / ROW_BYTES, (long) ROW_VALUES), PayloadType.F32, AdminClient.sha256(payload),
                payload.length, OptionalInt.empty(), null);
    }

    private void expect(AdminClient from, @Nullable String ref, AdminErrorCode code) throws InterruptedException {
        assertEquals(code, failed(answer(from, ref)).code());
        count(code);
    }

    private static AdminReply.Failed failed(AdminReply reply) {
        assertTrue(reply instanceof AdminReply.Failed, reply.toString());
        return (AdminReply.Failed) reply;
    }

    private static AdminReply answer(AdminClient from, @Nullable String ref) throws InterruptedException {
        AdminReply reply = from.next();
        while (reply instanceof AdminReply.Progress) {
            reply = from.next();
        }
        assertEquals(ref, reply.ref(), reply.toString());
        return reply;
    }

    private void count(AdminErrorCode code) {
        codes.merge(code, 1, Integer::sum);
        refused++;
    }

    @Override
    public String toString() {
        return "number=" + number + ", refused=" + refused + ", valid=" + valid + ", declined=" + declined + ", applied=" + applied
                + ", codes=" + codes + ", last=" + last.substring(0, Math.min(MAX_SHOWN, last.length()));
    }

    @Override
    public void close() {
        client.close();
    }
}
