package dev.tidestream.server.transport;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** A WebSocket by hand, for what no decent client would send; it answers no pings and reads only when told to. */
final class RawSocket implements AutoCloseable {
    private static final int TEXT = 0x81;
    private static final int OPCODE = 0x0F;
    private static final int CLOSE = 0x8;
    private static final int PING = 0x9;
    private static final int PONG = 0x8A;

    final String response;
    final AtomicLong sentFrames = new AtomicLong();
    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;

    RawSocket(int port) throws IOException {
        this(port, "Sec-WebSocket-Protocol: tidestream.v1\r\n");
    }

    RawSocket(int port, String header) throws IOException {
        this(port, "GET /v1/stream", header);
    }

    /** @param target method and path */
    RawSocket(int port, String target, String header) throws IOException {
        this(port, target, header, new byte[0]);
    }

    /** @param behind sent with the request, in one packet */
    RawSocket(int port, String target, String header, byte[] behind) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(60_000);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
        bytes((target + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + header + "\r\n")
                .getBytes(StandardCharsets.US_ASCII), behind);
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) in.readUnsignedByte());
        }
        response = head.toString();
    }

    /** The JSON body of a refusal. */
    String body() throws IOException {
        StringBuilder body = new StringBuilder();
        while (body.isEmpty() || body.charAt(body.length() - 1) != '\n') {
            body.append((char) in.readUnsignedByte());
        }
        return body.toString();
    }

    void text(String text) throws IOException {
        frame(TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    /** @param first the byte with FIN and opcode; the mask is zero */
    void frame(int first, byte[] payload) throws IOException {
        bytes(frameOf(first, payload));
        sentFrames.incrementAndGet();
    }

    /** The start of a frame, and nothing of its payload. */
    void header(int first, int length) throws IOException {
        out.write(headerOf(first, length));
        out.flush();
    }

    /** A frame of a client; the mask is zero. */
    static byte[] frameOf(int first, byte[] payload) {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.writeBytes(headerOf(first, payload.length));
        frame.writeBytes(payload);
        return frame.toByteArray();
    }

    private static byte[] headerOf(int first, int length) {
        ByteBuffer header = ByteBuffer.allocate(14).put((byte) first);
        if (length < 126) {
            header.put((byte) (0x80 | length));
        } else if (length < 1 << 16) {
            header.put((byte) (0x80 | 126)).putShort((short) length);
        } else {
            header.put((byte) (0x80 | 127)).putLong(length);
        }
        header.putInt(0); // the mask
        return Arrays.copyOf(header.array(), header.position());
    }

    /** Sends the frame so many times. */
    void send(int first, byte[] payload, int times) {
        try {
            for (int i = 0; i < times; i++) {
                frame(first, payload);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends the frame again and again, until the socket is closed. */
    void flood(int first, byte[] payload) {
        try {
            while (true) {
                frame(first, payload);
            }
        } catch (IOException e) {
            if (!socket.isClosed()) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Reads up to a text frame. */
    String nextText() throws IOException {
        while (true) {
            int opcode = in.readUnsignedByte() & OPCODE;
            byte[] payload = payload();
            if (opcode == (TEXT & OPCODE)) {
                return new String(payload, StandardCharsets.UTF_8);
            }
        }
    }

    /** Reads up to a ping. */
    void nextPing() throws IOException {
        int opcode;
        do {
            opcode = in.readUnsignedByte() & OPCODE;
            payload();
        } while (opcode != PING);
    }

    /** Answers a ping. */
    void pong() throws IOException {
        frame(PONG, new byte[0]);
    }

    /** Reads up to the close frame. */
    int closeCode() throws IOException {
        while (true) {
            int opcode = in.readUnsignedByte() & OPCODE;
            byte[] payload = payload();
            if (opcode == CLOSE) {
                return ByteBuffer.wrap(payload).getShort();
            }
        }
    }

    /** A frame of the server; {@link #END} for the end of file. */
    record Frame(int opcode, byte[] payload) {
        /** The code of a close frame; 1005 if it has none. */
        int closeCode() {
            return payload.length == 0 ? 1005 : ByteBuffer.wrap(payload).getShort();
        }

        String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }

        @Override
        public String toString() {
            return opcode + ":" + (opcode == CLOSE ? String.valueOf(closeCode()) : text());
        }
    }

    /** No frame any more. */
    static final Frame END = new Frame(-1, new byte[0]);

    /** The next frame, whatever it is. */
    Frame next() throws IOException {
        int first = in.read();
        return first < 0 ? END : new Frame(first & OPCODE, payload());
    }

    /** All frames up to the end of file. */
    List<Frame> untilEnd() throws IOException {
        List<Frame> frames = new ArrayList<>();
        for (Frame frame = next(); frame != END; frame = next()) {
            frames.add(frame);
        }
        return frames;
    }

    /** The frames that have come and were not read; for a server that is known to have sent all it will. */
    List<Frame> unread() throws IOException {
        List<Frame> frames = new ArrayList<>();
        while (in.available() > 0) {
            frames.add(next());
        }
        return frames;
    }

    /** Sends bytes as they are, in one packet if the system will. */
    void bytes(byte[]... parts) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        out.write(all.toByteArray());
        out.flush();
    }

    /** Nothing more is sent. */
    void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    private byte[] payload() throws IOException {
        long length = in.readUnsignedByte();
        if (length == 126) {
            length = in.readUnsignedShort();
        } else if (length == 127) {
            length = in.readLong();
        }
        byte[] payload = new byte[(int) length];
        in.readFully(payload);
        return payload;
    }

    void abort() throws IOException {
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
