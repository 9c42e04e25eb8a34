package dev.tidestream.server.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/**
 * A file of the console as it is sent.
 *
 * @param contentType by the end of its name
 * @param bytes nobody changes them
 * @param etag of the bytes, quoted (RFC 9110, 8.8.3)
 */
record ConsoleFile(String contentType, byte[] bytes, String etag) {
    private static final int ETAG_CHARS = 32;
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml");

    /**
     * Reads it from the jar.
     *
     * @throws IllegalStateException if it is not there, or its name has no type
     */
    static ConsoleFile read(String name) {
        String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        try (InputStream in = ConsoleFile.class.getResourceAsStream("/console/" + name)) {
            if (in == null || type == null) {
                throw new IllegalStateException("no file of the console: " + name);
            }
            byte[] bytes = in.readAllBytes();
            return new ConsoleFile(type, bytes, etag(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException("a file of the console cannot be read: " + name, e);
        }
    }

    private static String etag(byte[] bytes) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return '"' + HexFormat.of().formatHex(hash).substring(0, ETAG_CHARS) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
