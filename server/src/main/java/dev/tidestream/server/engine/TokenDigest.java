package dev.tidestream.server.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 over token ids, each as four bytes, the most significant first. One thread. */
public final class TokenDigest {
    private final MessageDigest sha256 = sha256();
    private final ByteBuffer id = ByteBuffer.allocate(Integer.BYTES);

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /** Takes one more token. */
    void add(int token) {
        sha256.update(id.clear().putInt(token).flip());
    }

    /** Takes more tokens. */
    void add(int[] tokens) {
        for (int token : tokens) {
            add(token);
        }
    }

    /** Ends it: 64 lower-case hexadecimal digits. */
    String hex() {
        return HexFormat.of().formatHex(sha256.digest());
    }

    /** Of tokens {@code (n)}: 64 lower-case hexadecimal digits. */
    public static String of(int[] tokens) {
        TokenDigest digest = new TokenDigest();
        digest.add(tokens);
        return digest.hex();
    }

    /** Of a text in UTF-8, an unpaired surrogate taken for {@code ?}: 64 lower-case hexadecimal digits. */
    public static String of(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }
}
