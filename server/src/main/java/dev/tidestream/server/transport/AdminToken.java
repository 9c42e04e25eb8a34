package dev.tidestream.server.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/**
 * What an administrator must show. Holds only the SHA-256 of the token, and neither its errors nor {@link #toString} say anything
 * about its text. Any thread.
 */
public final class AdminToken {
    private static final int MIN_CHARS = 16;
    private static final int MAX_CHARS = 1024; // it travels in a header
    private static final int GENERATED_BYTES = 32;
    private static final int FINGERPRINT_BYTES = 4;
    /** Beside letters and digits, what RFC 9110 allows in a token; subprotocols of RFC 6455 are such. */
    private static final String MARKS = "!#$%&'*+-.^_`|~";

    private volatile byte[] sha256;

    private AdminToken(byte[] sha256) {
        this.sha256 = sha256;
    }

    /**
     * @param text 16 to 1024 characters: letters, digits, and marks that may stand in a WebSocket subprotocol
     * @throws IllegalArgumentException if it is anything else
     */
    public static AdminToken of(String text) {
        requireUsable(text);
        return new AdminToken(sha256(text));
    }

    /** The text of a new token: 256 random bits, URL-safe, 43 characters. */
    public static String generate() {
        byte[] random = new byte[GENERATED_BYTES];
        new SecureRandom().nextBytes(random);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /**
     * The text of the token in a file: its one line, with or without an end of line.
     *
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if it is no usable token; names the file
     */
    public static String read(Path file) throws IOException {
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_CHARS + 3); // and an end of line, and one that is too many
        }
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        if (text.endsWith("\n")) {
            text = text.substring(0, text.length() - (text.endsWith("\r\n") ? 2 : 1));
        }
        try {
            requireUsable(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
        return text;
    }

    /** Is the same as another from now on. */
    void become(AdminToken other) {
        sha256 = other.sha256;
    }

    /** Whether this is the token; takes the same time whatever part of it is right. */
    public boolean matches(String candidate) {
        return MessageDigest.isEqual(sha256, sha256(candidate));
    }

    /** What the log calls this token. */
    public String fingerprint() {
        return fingerprint(sha256);
    }

    /**
     * What the log calls a token, right or wrong: the first 8 hexadecimal digits of its SHA-256, as {@code sha256sum} prints them. Not
     * enough to find a token that was made by chance, and enough to tell one from another.
     */
    static String fingerprint(String text) {
        return fingerprint(sha256(text));
    }

    private static String fingerprint(byte[] sha256) {
        return HexFormat.of().formatHex(sha256, 0, FINGERPRINT_BYTES);
    }

    @Override
    public String toString() {
        return "AdminToken";
    }

    private static void requireUsable(String text) {
        if (text.length() < MIN_CHARS || text.length() > MAX_CHARS) {
            throw new IllegalArgumentException("an admin token must have %d to %d characters: chars=%s"
                    .formatted(MIN_CHARS, MAX_CHARS, text.length() > MAX_CHARS ? "more" : text.length()));
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!alphanumeric && MARKS.indexOf(c) < 0) {
                throw new IllegalArgumentException(
                        "an admin token is one line of letters, digits and " + MARKS + ": another character at " + i);
            }
        }
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
