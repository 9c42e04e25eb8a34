package dev.tidestream.server.transport;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** HTTP by hand, for what no decent client would send. */
final class RawHttp implements AutoCloseable {
    private static final int PATIENCE_MS = 60_000;

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;

    /**
     * An answer.
     *
     * @param head in lower case
     */
    record Answer(int status, String head, String body) {}

    RawHttp(int port) throws IOException {
        this(port, InetAddress.getLoopbackAddress());
    }

    /** @param from an address of this machine */
    RawHttp(int port, InetAddress from) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port, from, 0);
        socket.setSoTimeout(PATIENCE_MS);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        out = socket.getOutputStream();
    }

    /** Sends text as it is; \n is sent as \r\n. */
    RawHttp send(String text) throws IOException {
        out.write(text.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
        return this;
    }

    /** The next answer, which has a body as long as it says. */
    Answer answer() throws IOException {
        return answer(true);
    }

    /** @param hasBody false for the answer to HEAD */
    Answer answer(boolean hasBody) throws IOException {
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) in.readUnsignedByte());
        }
        String lower = head.toString().toLowerCase(Locale.ROOT);
        int status = Integer.parseInt(head.substring(9, 12));
        String length = lower.replaceAll("(?s).*content-length: *([0-9]+).*", "$1");
        byte[] body = new byte[hasBody && status != 101 ? Integer.parseInt(length) : 0];
        in.readFully(body);
        return new Answer(status, lower, new String(body, StandardCharsets.UTF_8));
    }

    /** The next answer, which comes in chunks; the body is what stands in them. */
    Answer answerChunked() throws IOException {
        Answer head = answer(false);
        StringBuilder body = new StringBuilder();
        for (int size = Integer.parseInt(line(), 16); size > 0; size = Integer.parseInt(line(), 16)) {
            byte[] chunk = new byte[size];
            in.readFully(chunk);
            body.append(new String(chunk, StandardCharsets.UTF_8));
            line();
        }
        line();
        return new Answer(head.status(), head.head(), body.toString());
    }

    /** The next chunk of an answer whose head was read; empty at its end. */
    String chunk() throws IOException {
        byte[] chunk = new byte[Integer.parseInt(line(), 16)];
        in.readFully(chunk);
        line();
        return new String(chunk, StandardCharsets.UTF_8);
    }

    /** The next answer, whatever its body is. */
    Answer anyAnswer(boolean hasBody) throws IOException {
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) in.readUnsignedByte());
        }
        String lower = head.toString().toLowerCase(Locale.ROOT);
        StringBuilder body = new StringBuilder();
        if (hasBody && lower.contains("\r\ntransfer-encoding: chunked\r\n")) {
            for (int size = Integer.parseInt(line(), 16); size > 0; size = Integer.parseInt(line(), 16)) {
                body.append(new String(in.readNBytes(size), StandardCharsets.UTF_8));
                line();
            }
            line();
        } else if (hasBody && lower.contains("\r\ncontent-length: ")) {
            int length = Integer.parseInt(lower.replaceAll("(?s).*content-length: *([0-9]+).*", "$1"));
            body.append(new String(in.readNBytes(length), StandardCharsets.UTF_8));
        }
        return new Answer(Integer.parseInt(head.substring(9, 12)), lower, body.toString());
    }

    /** Says that nothing more is sent, and reads what comes until the end. */
    String rest() throws IOException {
        try {
            socket.shutdownOutput();
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (java.net.SocketException e) {
            return ""; // reset, since we had sent more than was read
        }
    }

    /** Sends bytes as they are. */
    RawHttp send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
        return this;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        while (!line.toString().endsWith("\r\n")) {
            line.append((char) in.readUnsignedByte());
        }
        return line.toString().strip();
    }

    /** Whether something has come that was not read. */
    boolean hasMore() throws IOException {
        return in.available() > 0;
    }

    /** Whether nothing comes any more. */
    boolean atEnd() throws IOException {
        try {
            return in.read() < 0;
        } catch (java.net.SocketException e) {
            return true; // reset, since we had sent more than was read
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
