package dev.tidestream.server.transport;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.Codec;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Limits;
import dev.tidestream.protocol.ProtocolException;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.websocket.WireInputs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Packets of chance against a server: frames whole, cut and half, names that collide, violations behind good frames, bytes that
 * come one by one. Each message gets its answer and nothing else comes; a stream beside runs through; nothing is left.
 */
@ExtendWith(NettyLeakCheck.class)
class WireFaultsIT {
    private static final int INPUTS = Integer.getInteger("tidestream.fuzz.inputs", 1_000);
    private static final int MAX_MESSAGE_BYTES = 64 << 10;
    private static final int MAX_FRAME_BYTES = 128 << 10;
    private static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, MAX_MESSAGE_BYTES, MAX_FRAME_BYTES, 1000, 16, 16, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60));

    private final Codec codec = new Codec(new Limits(MAX_MESSAGE_BYTES, 1000));
    private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
    private final Map<ErrorCode, Integer> codes = new EnumMap<>(ErrorCode.class);

    @Test
    void shouldAnswerEveryMessageAndLeaveNothing() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261130L);
        System.out.println("WireFaultsIT: -Dtidestream.seed=" + seed + " -Dtidestream.fuzz.inputs=" + INPUTS);
        SplittableRandom random = new SplittableRandom(seed);
        WireInputs inputs = new WireInputs(random.split(), MAX_MESSAGE_BYTES, MAX_FRAME_BYTES, text -> refusal(text) != null);
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        logged.start();
        root.addAppender(logged);
        try (TestServer server = new TestServer(CONFIG);
                TestClient other = server.client()) {
            other.generate("beside", "x", 1000, ",\"credit\":500");
            RawSocket raw = new RawSocket(server.port());
            for (int i = 0; i < INPUTS; i++) {
                WireInputs.Input input = inputs.next();
                try {
                    send(raw, input.bytes(), random);
                    expect(raw, input);
                } catch (AssertionError | IOException e) {
                    throw new AssertionError("seed=" + seed + ", input " + i, e);
                }
                if (input.isLast()) {
                    raw.close();
                    raw = new RawSocket(server.port());
                }
            }
            raw.close();
            other.credit("beside", 500);
            assertEquals(1002, other.untilFinished("beside").size());
            assertEquals(0, server.stats().assemblyBytes());
            for (Refusal refusal : List.of(
                    Refusal.MESSAGE_TOO_LARGE, Refusal.PROTOCOL_ERROR, Refusal.INVALID_UTF8, Refusal.FRAME_TOO_BIG)) {
                assertTrue(server.stats().refused(refusal) > 0, refusal + ": " + server.stats());
            }
            System.out.println("WireFaultsIT: " + codes + ", " + server.stats().refusals());
            assertTrue(codes.size() >= 8, codes.toString());
        } finally {
            root.detachAppender(logged);
        }
        List<ILoggingEvent> events = List.copyOf(logged.list);
        assertEquals(List.of(), events.stream()
                .filter(event -> event.getThrowableProxy() != null || event.getLevel().isGreaterOrEqual(Level.WARN))
                .map(ILoggingEvent::getFormattedMessage)
                .toList());
    }

    /** What a server answers to a message that starts nothing; null for others. */
    private ServerMessage.@Nullable Failed refusal(String text) {
        try {
            return switch (codec.decodeClient(text)) {
                case ClientMessage.Cancel c -> unknown("cancel", c.id());
                case ClientMessage.Credit c -> unknown("credit", c.id());
                case ClientMessage.Generate g -> null;
                case ClientMessage.Resume r -> new ServerMessage.Failed(
                        r.id(), ErrorCode.UNKNOWN_STREAM, "no stream outlives its connection on this server");
                case ClientMessage.Watch w -> null;
            };
        } catch (ProtocolException e) {
            return e.toFailed();
        }
    }

    private static ServerMessage.Failed unknown(String type, String id) {
        return new ServerMessage.Failed(id, ErrorCode.UNKNOWN_ID, type + ": no running stream has the id: " + id);
    }

    /** At once, or in pieces, or its last bytes one by one. */
    private static void send(RawSocket raw, byte[] bytes, RandomGenerator random) throws IOException {
        int slow = random.nextInt(3) == 0 ? Math.max(0, bytes.length - 40) : bytes.length;
        int piece = random.nextBoolean() ? Math.max(1, bytes.length) : 1 + random.nextInt(4000);
        for (int at = 0; at < bytes.length; ) {
            int end = at >= slow ? at + 1 : Math.min(slow, at + piece);
            try {
                raw.bytes(Arrays.copyOfRange(bytes, at, end));
            } catch (IOException e) {
                return; // the server has closed already, over what came before
            }
            at = end;
        }
    }

    private void expect(RawSocket raw, WireInputs.Input input) throws IOException {
        List<String> expected = new ArrayList<>();
        List<String> actual = new ArrayList<>();
        for (WireInputs.Event event : input.events()) {
            String answer = raw.next().toString();
            boolean tooLarge = event instanceof WireInputs.Event.TooLarge; // how many bytes it names is chance
            expected.add(tooLarge ? "too large" : answer(event));
            actual.add(tooLarge && answer.contains("\"frame_too_large\"") ? "too large" : answer);
        }
        if (input.half()) {
            raw.shutdownOutput();
        }
        if (input.isLast()) {
            expected.add(RawSocket.END.toString());
            actual.add(raw.next().toString());
        }
        assertEquals(expected, actual);
    }

    private String answer(WireInputs.Event event) {
        return switch (event) {
            case WireInputs.Event.Text t -> failed(refusal(t.text()));
            case WireInputs.Event.TooLarge t -> throw new AssertionError("its text is not known");
            case WireInputs.Event.Binary b -> failed(new ServerMessage.Failed(
                    null, ErrorCode.BINARY_FRAME, "binary frame: this protocol has text frames only"));
            case WireInputs.Event.Ping p -> "10:" + p.payload();
            case WireInputs.Event.Close c -> "8:" + c.code();
            case WireInputs.Event.Violation v -> "8:" + v.code();
        };
    }

    private String failed(ServerMessage.@Nullable Failed failed) {
        if (failed == null) {
            throw new AssertionError("only messages that are refused are sent");
        }
        codes.merge(failed.code(), 1, Integer::sum);
        return "1:" + codec.encode(failed);
    }
}
