package dev.tidestream.server.transport;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** HTTP/2 by hand (RFC 9113): windows are given when a test says so, and never else. */
final class RawHttp2 implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int END_STREAM = 1;

    private static final int PATIENCE_MS = 60_000;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int WINDOW_UPDATE = 8;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;
    private static final int INITIAL_WINDOW_SIZE = 4; // of a setting

    private final SSLSocket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    /** What came. */
    record Frame(int type, int flags, int stream, byte[] payload) {
        boolean endsStream() {
            return (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        }

        int errorCode() {
            return ByteBuffer.wrap(payload).getInt();
        }
    }

    /** @param window of every stream, in bytes; that of the connection has 65,535 */
    RawHttp2(int port, SSLContext trust, int window) throws IOException {
        socket = (SSLSocket) trust.getSocketFactory().createSocket("localhost", port);
        socket.setSoTimeout(PATIENCE_MS);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        assertEquals("h2", socket.getApplicationProtocol());
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        out = new DataOutputStream(socket.getOutputStream());
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send(SETTINGS, 0, 0, ByteBuffer.allocate(6).putShort((short) INITIAL_WINDOW_SIZE).putInt(window).array());
    }

    private void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
        frame.putInt(payload.length << 8 | type).put((byte) flags).putInt(stream).put(payload);
        out.write(frame.array());
        out.flush();
    }

    /** Asks, with a body if there is one. */
    void request(int stream, String method, String path, String body) throws IOException {
        ByteArrayOutputStream headers = new ByteArrayOutputStream();
        field(headers, ":method", method);
        field(headers, ":scheme", "https");
        field(headers, ":authority", "localhost");
        field(headers, ":path", path);
        send(HEADERS, END_HEADERS | (body.isEmpty() ? END_STREAM : 0), stream, headers.toByteArray());
        if (!body.isEmpty()) {
            send(DATA, END_STREAM, stream, body.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Literal, without indexing and Huffman's code (RFC 7541, 6.2.2). */
    private static void field(ByteArrayOutputStream headers, String name, String value) {
        headers.write(0);
        for (String text : new String[] {name, value}) {
            headers.write(text.length()); // below 127
            headers.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** Lets a stream send so many bytes more; 0: the connection. */
    void grant(int stream, int bytes) throws IOException {
        send(WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(bytes).array());
    }

    /** Returns when the server has read all that was sent; what else it has sent meanwhile must be nothing. */
    void sync() throws IOException {
        send(PING, 0, 0, new byte[8]);
        Frame frame = next(PING);
        assertEquals(PING, frame.type(), frame::toString);
    }

    /** The next frame of a stream. */
    Frame next() throws IOException {
        return next(DATA);
    }

    private Frame next(int alsoOfConnection) throws IOException {
        while (true) {
            int lengthAndType = in.readInt();
            int flags = in.readUnsignedByte();
            Frame frame = new Frame(lengthAndType & 0xFF, flags, in.readInt(), in.readNBytes(lengthAndType >>> 8));
            if (frame.type() == SETTINGS && (flags & ACK) == 0) {
                send(SETTINGS, ACK, 0, new byte[0]);
            }
            if ((frame.stream() != 0 && frame.type() != WINDOW_UPDATE) || frame.type() == alsoOfConnection) {
                return frame;
            }
        }
    }

    /** Reads so many bytes of the body of a stream. */
    void data(int stream, int bytes) throws IOException {
        for (int read = 0; read < bytes;) {
            Frame frame = next();
            assertEquals(DATA, frame.type(), frame::toString);
            assertEquals(stream, frame.stream(), frame::toString);
            read += frame.payload().length;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
