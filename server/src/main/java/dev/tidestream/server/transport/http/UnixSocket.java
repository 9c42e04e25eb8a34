package dev.tidestream.server.transport.http;

import java.io.IOException;
import java.io.Serial;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

import dev.tidestream.console.Reasons;

/**
 * A Unix-domain socket to listen on: a file that clients of this machine connect to, if its mode lets them write it. What is left of a
 * server that was killed is replaced; the socket of one that lives, and whatever is no socket, is not. Methods block.
 *
 * @param path of the file, absolute
 * @param mode of the file; until it is set, right after the file was made, it is what the umask leaves
 */
public record UnixSocket(Path path, Set<PosixFilePermission> mode) {
    /** Longest path in bytes: what Java takes of the 108 that the system has room for. */
    public static final int MAX_PATH_BYTES = 106;
    /** Owner and group may connect. */
    public static final Set<PosixFilePermission> DEFAULT_MODE = PosixFilePermissions.fromString("rw-rw----");

    private static final int TYPE = 0170000;
    private static final int SOCKET = 0140000;

    public UnixSocket {
        path = path.toAbsolutePath();
        mode = Set.copyOf(mode);
    }

    /** With the usual mode. */
    public UnixSocket(Path path) {
        this(path, DEFAULT_MODE);
    }

    /** A file that cannot be listened on; the message names it. */
    public static final class UnusableException extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        UnusableException(String message) {
            super(message);
        }
    }

    /**
     * Looks whether a server could listen here, and takes a socket away that nobody listens on.
     *
     * @throws UnusableException if it could not, with the reason
     */
    public void makeFree() throws UnusableException {
        int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > MAX_PATH_BYTES) {
            throw new UnusableException("path too long for a Unix-domain socket, of which the system takes 108 bytes and Java %d: bytes=%d: %s"
                    .formatted(MAX_PATH_BYTES, bytes, path));
        }
        Path directory = path.getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new UnusableException("no such directory: " + directory);
        }
        if (!Files.isWritable(directory)) {
            throw new UnusableException("permission denied: make a socket in " + directory);
        }
        try {
            int type = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & TYPE;
            if (type != SOCKET) {
                throw new UnusableException("there is a file that is no socket: " + path);
            }
            if (isLive()) {
                throw new UnusableException("a server listens on this socket: " + path);
            }
            Files.delete(path);
        } catch (NoSuchFileException _) { // nothing is in the way
        } catch (UnusableException e) {
            throw e;
        } catch (IOException | UnsupportedOperationException e) {
            throw new UnusableException("cannot be used as a socket: %s: %s".formatted(path, Reasons.of(e)));
        }
    }

    private boolean isLive() throws IOException {
        try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return client.isConnected();
        } catch (ConnectException _) {
            return false;
        }
    }

    /** Gives the file, which somebody listens on now, its mode. */
    public void open() throws IOException {
        Files.setPosixFilePermissions(path, mode);
    }

    /** Takes the file away, which nobody listens on any more; it may be gone. */
    public void remove() throws IOException {
        Files.deleteIfExists(path);
    }

    /** As curl and others have it. */
    @Override
    public String toString() {
        return "unix:" + path;
    }
}
