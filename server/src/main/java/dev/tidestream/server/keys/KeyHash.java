package dev.tidestream.server.keys;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The SHA-256 of a key. A fast hash is right here: a key has 256 random bits ({@link KeyText}), which nobody guesses at any rate, while slow
 * hashes and salts protect passwords, which people choose. A slow hash would also be computed for every request, and for every
 * stranger's guess. {@link #toString} shows nothing of it.
 */
public final class KeyHash {
    private static final int BYTES = 32;

    private final byte[] sha256;

    private KeyHash(byte[] sha256) {
        this.sha256 = sha256;
    }

    /** That of a key, whatever was shown as one. */
    public static KeyHash of(String key) {
        try {
            return new KeyHash(MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /**
     * From its hexadecimal digits.
     *
     * @throws IllegalArgumentException if they are not 64; shows none of them
     */
    static KeyHash ofHex(String hex) {
        byte[] bytes;
        try {
            bytes = HexFormat.of().parseHex(hex);
        } catch (IllegalArgumentException _) { // whose message has the digits
            bytes = new byte[0];
        }
        if (bytes.length != BYTES) {
            throw new IllegalArgumentException("a hash must be %d hexadecimal digits: characters=%d".formatted(2 * BYTES, hex.length()));
        }
        return new KeyHash(bytes);
    }

    /** Its hexadecimal digits. */
    String hex() {
        return HexFormat.of().formatHex(sha256);
    }

    /** Whether both are equal; takes the same time wherever they differ. */
    boolean matches(KeyHash other) {
        return MessageDigest.isEqual(sha256, other.sha256);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KeyHash hash && matches(hash);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sha256);
    }

    @Override
    public String toString() {
        return "KeyHash";
    }
}
