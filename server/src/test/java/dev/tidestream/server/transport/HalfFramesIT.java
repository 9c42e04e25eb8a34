package dev.tidestream.server.transport;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import io.netty.buffer.ByteBufAllocatorMetricProvider;
import io.vertx.core.impl.buffer.VertxByteBufAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import dev.tidestream.server.transport.common.Refusal;
import dev.tidestream.server.transport.http.HttpLimits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Connections that begin messages and do not end them. */
@ExtendWith(NettyLeakCheck.class)
class HalfFramesIT {
    private static final int CONNECTIONS = 120;
    private static final int MESSAGE = 1 << 20;
    private static final int ASSEMBLY = 8 << 20;
    private static final TransportConfig CONFIG = new TransportConfig(
            "127.0.0.1", 0, MESSAGE, 4 << 20, 1000, CONNECTIONS + 8, 16, 64 << 10, 32, 16,
            Duration.ofSeconds(20), Duration.ofSeconds(60), Duration.ofSeconds(60))
            .withLimits(HttpLimits.of(CONNECTIONS), new SocketLimits(ASSEMBLY, 1L << 40, Duration.ofSeconds(5), Duration.ofSeconds(1)));

    private final List<RawSocket> all = new ArrayList<>();

    private void closeAll() throws Exception {
        for (RawSocket raw : all) {
            raw.close();
        }
    }

    /** Of a frame with such a payload. */
    private static byte[] allButTheLastByte(String id, int payload) {
        byte[] text = ("{\"type\":\"generate\",\"id\":\"" + id + "\",\"prompt\":\"").getBytes(StandardCharsets.UTF_8);
        byte[] message = Arrays.copyOf(text, payload);
        Arrays.fill(message, text.length, payload, (byte) 'x');
        byte[] frame = RawSocket.frameOf(0x81, message);
        return Arrays.copyOf(frame, frame.length - 1);
    }

    private static long directBytes() {
        return ((ByteBufAllocatorMetricProvider) VertxByteBufAllocator.POOLED_ALLOCATOR).metric().usedDirectMemory();
    }

    /** The header says 4 MiB: nothing is taken for that, and a message over the limit is not kept while it comes. */
    @Test
    void shouldKeepNothingOfMessagesThatAreTooLarge() throws Exception {
        try (TestServer server = new TestServer(CONFIG);
                TestClient other = server.client()) {
            other.barrier("warm");
            long before = directBytes();
            byte[] frame = allButTheLastByte("big", 4 << 20);
            for (int i = 0; i < 20; i++) {
                RawSocket raw = new RawSocket(server.port());
                all.add(raw);
                raw.bytes(Arrays.copyOf(frame, 100));
            }
            other.barrier("headers");
            other.barrier("were read");
            assertTrue(server.stats().assemblyBytes() <= 20 << 10, server.stats().toString());
            for (RawSocket raw : all) {
                raw.bytes(Arrays.copyOfRange(frame, 100, frame.length));
                String refusal = raw.nextText();
                assertTrue(refusal.contains("\"frame_too_large\"") && refusal.contains("\"id\":\"big\"")
                        && refusal.contains("bytes>=4194304, limit=1048576"), refusal);
            }
            other.barrier("all");
            assertEquals(0, server.stats().assemblyBytes());
            assertTrue(directBytes() - before <= 16 << 20, "direct memory grew: bytes=" + (directBytes() - before));
            for (RawSocket raw : all) {
                raw.bytes(new byte[] {'x'}); // the last byte of the message that was thrown away
                raw.text("{\"type\":\"cancel\",\"id\":\"ghost\"}");
                assertTrue(raw.nextText().contains("ghost"), "the connection goes on");
            }
        } finally {
            closeAll();
        }
    }

    @Test
    void shouldBoundWhatAllConnectionsHold() throws Exception {
        try (TestServer server = new TestServer(CONFIG);
                TestClient other = server.client()) {
            other.generate("beside", "x", 1000, ",\"credit\":500");
            long before = directBytes();
            for (int i = 0; i < CONNECTIONS; i++) {
                RawSocket raw = new RawSocket(server.port());
                all.add(raw);
                raw.bytes(allButTheLastByte("h" + i, MESSAGE));
                if (i % 10 == 0) {
                    assertTrue(server.stats().assemblyBytes() <= ASSEMBLY, server.stats().toString());
                    assertTrue(other.barrier("b" + i).size() >= 3, "a message that is all there");
                }
            }
            other.barrier("c");
            other.barrier("d");
            TransportStats stats = server.stats();
            assertTrue(stats.assemblyBytes() <= ASSEMBLY && stats.assemblyBytes() >= ASSEMBLY / 2, stats.toString());
            assertTrue(stats.refused(Refusal.ASSEMBLY_FULL) >= CONNECTIONS - 2 * ASSEMBLY / MESSAGE, stats.toString());
            assertTrue(directBytes() - before <= 16 << 20, "direct memory grew: bytes=" + (directBytes() - before));
            byte[] slowly = allButTheLastByte("slow", 100); // who sends little is not harmed by those who send much
            try (RawSocket small = new RawSocket(server.port())) {
                for (byte b : slowly) {
                    small.bytes(new byte[] {b});
                    other.barrier("e");
                }
                small.bytes(new byte[] {'x'});
                assertTrue(small.nextText().contains("malformed_json"));
            }
            assertFalse(all.getFirst().nextText().isEmpty());
            other.credit("beside", 500);
            other.untilFinished("beside");
            closeAll();
            while (server.stats().streamConnections() > 1) {
                other.barrier("closed");
            }
            assertEquals(0, server.stats().assemblyBytes());
        } finally {
            closeAll();
        }
    }

    /** Said with the id, and nothing else of the connection is lost. */
    @Test
    void shouldTellWhoHadToGiveUp() throws Exception {
        TransportConfig small = CONFIG.withLimits(
                CONFIG.http(), new SocketLimits(MESSAGE + 4096, 1L << 40, Duration.ofSeconds(5), Duration.ofSeconds(1)));
        try (TestServer server = new TestServer(small);
                TestClient other = server.client();
                RawSocket large = new RawSocket(server.port())) {
            large.text("{\"type\":\"generate\",\"id\":\"runs\",\"prompt\":\"hold\",\"max_tokens\":5}");
            assertTrue(large.nextText().contains("\"accepted\""));
            byte[] first = allButTheLastByte("large", MESSAGE);
            large.bytes(first);
            while (server.stats().assemblyBytes() < MESSAGE - 1000) {
                other.barrier("not all is there");
            }
            other.generate("small", "x".repeat(8000), 1, "");
            String refusal = large.nextText();
            assertTrue(refusal.contains("\"id\":\"large\",\"code\":\"busy\"")
                    && refusal.contains("limit of all=1052672"), refusal);
            large.bytes(new byte[] {'x'});
            large.text("{\"type\":\"cancel\",\"id\":\"runs\"}");
            assertTrue(large.nextText().contains("\"finished\""));
            other.untilFinished("small");
        }
    }
}
