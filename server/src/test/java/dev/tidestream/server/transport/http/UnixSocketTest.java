package dev.tidestream.server.transport.http;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class UnixSocketTest {
    @TempDir
    Path temp;

    private static String refusal(Path path) {
        return String.valueOf(assertThrows(UnixSocket.UnusableException.class, () -> new UnixSocket(path).makeFree()).getMessage());
    }

    @Test
    void shouldReplaceTheSocketOfADeadServerAlone() throws Exception {
        UnixSocket socket = new UnixSocket(temp.resolve("s"));
        socket.makeFree();
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket.path()));
            socket.open();
            assertEquals("rw-rw----", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.path())));
            assertEquals("a server listens on this socket: " + socket.path(), refusal(socket.path()));
        }
        assertTrue(Files.exists(socket.path()), "as if it had been killed");
        socket.makeFree();
        assertFalse(Files.exists(socket.path()));
        socket.remove(); // again does nothing
    }

    @Test
    void shouldRefuseWhatCannotBeASocket() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "text");
        assertEquals("there is a file that is no socket: " + file, refusal(file));
        assertEquals("text", Files.readString(file));
        Path link = Files.createSymbolicLink(temp.resolve("link"), file);
        assertEquals("there is a file that is no socket: " + link, refusal(link));
        assertEquals("no such directory: " + temp.resolve("none"), refusal(temp.resolve("none/s")));
        Path longest = temp.resolve("x".repeat(UnixSocket.MAX_PATH_BYTES - temp.toString().length() - 1));
        new UnixSocket(longest).makeFree();
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(longest));
        }
        assertEquals("path too long for a Unix-domain socket, of which the system takes 108 bytes and Java 106: bytes=107: "
                + longest + "x",
                refusal(Path.of(longest + "x")));
    }
}
