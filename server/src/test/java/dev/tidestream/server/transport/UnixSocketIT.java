package dev.tidestream.server.transport;

import java.io.ByteArrayOutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutionException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.server.LoggedLines;
import dev.tidestream.server.logging.EventLog;
import dev.tidestream.server.transport.http.UnixSocket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A file instead of a port, or beside it. */
@ExtendWith(NettyLeakCheck.class)
class UnixSocketIT {
    private static final String COMPLETION = "{\"prompt\":\"x\",\"max_tokens\":3,\"stream\":true}";

    @TempDir
    Path temp;

    private UnixSocket socket() {
        return new UnixSocket(temp.resolve("tidestream.sock"), PosixFilePermissions.fromString("rw-------"));
    }

    private static String ask(UnixSocket socket, String head, String body) throws Exception {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket.path()))) {
            client.write(ByteBuffer.wrap("%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                    .formatted(head, body.length(), body).getBytes(StandardCharsets.UTF_8)));
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            ByteBuffer piece = ByteBuffer.allocate(4096);
            while (client.read(piece.clear()) >= 0) {
                answer.write(piece.array(), 0, piece.position());
            }
            return answer.toString(StandardCharsets.UTF_8);
        }
    }

    @Test
    void shouldStreamOverASocketAlone() throws Exception {
        UnixSocket socket = socket();
        try (LoggedLines refusals = new LoggedLines(EventLog.REFUSALS);
                TestServer server = new TestServer(TestServer.CONFIG.withUnixSocket(socket, TransportConfig.NO_PORT))) {
            assertEquals(-1, server.port());
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.path())));
            assertTrue(ask(socket, "GET /health/ready", "").startsWith("HTTP/1.1 200"));
            String streamed = ask(socket, "POST /v1/completions", COMPLETION);
            assertTrue(streamed.startsWith("HTTP/1.1 200") && streamed.contains("text/event-stream"), streamed);
            assertTrue(streamed.contains("data: [DONE]"), streamed);
            assertTrue(ask(socket, "GET /nothing", "").startsWith("HTTP/1.1 404"));
            assertTrue(refusals.lines().getFirst().contains(" remote=unix "), refusals.lines().toString());
            String frames = overWebSocket(socket);
            assertTrue(frames.contains("\"type\":\"token\"") && frames.contains("\"type\":\"finished\""), frames);
        }
        assertFalse(Files.exists(socket.path()), "it is taken away at the end");
    }

    /** By hand: clients of ours do not connect to files. */
    @SuppressWarnings("StringConcatToTextBlock") // lines of HTTP end with CRLF
    private static String overWebSocket(UnixSocket socket) throws Exception {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket.path()))) {
            client.write(ByteBuffer.wrap(("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n")
                    .formatted(Protocol.PATH, Protocol.SUBPROTOCOL).getBytes(StandardCharsets.US_ASCII)));
            readUntil(client, "\r\n\r\n");
            byte[] message = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"x\",\"max_tokens\":3}".getBytes(StandardCharsets.US_ASCII);
            ByteBuffer frame = ByteBuffer.allocate(6 + message.length).put((byte) 0x81).put((byte) (0x80 | message.length)).putInt(0);
            client.write(frame.put(message).flip()); // masked with zeros
            return readUntil(client, "\"type\":\"finished\"");
        }
    }

    private static String readUntil(SocketChannel client, String end) throws Exception {
        StringBuilder text = new StringBuilder();
        ByteBuffer piece = ByteBuffer.allocate(4096);
        while (text.indexOf(end) < 0 && client.read(piece.clear()) >= 0) {
            text.append(StandardCharsets.ISO_8859_1.decode(piece.flip()));
        }
        return text.toString();
    }

    @Test
    void shouldListenOnBoth() throws Exception {
        UnixSocket socket = socket();
        try (TestServer server = new TestServer(TestServer.CONFIG.withUnixSocket(socket, 0))) {
            assertTrue(ask(socket, "POST /v1/completions", COMPLETION).contains("data: [DONE]"));
            try (TestClient client = new TestClient(server.port())) {
                client.generate("a", "x", 2, "");
                client.untilFinished("a");
            }
            Throwable taken = assertThrows(Exception.class,
                    () -> new TestServer(TestServer.CONFIG.withUnixSocket(socket, TransportConfig.NO_PORT)));
            Throwable cause = taken instanceof ExecutionException && taken.getCause() != null ? taken.getCause() : taken;
            assertEquals("a server listens on this socket: " + socket.path(), cause.getMessage());
            assertTrue(ask(socket, "GET /health/ready", "").startsWith("HTTP/1.1 200"), "the first one goes on");
        }
    }
}
