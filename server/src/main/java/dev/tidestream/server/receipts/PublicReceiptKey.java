package dev.tidestream.server.receipts;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;

/** An Ed25519 key that receipts are verified with, and its name: the key's thumbprint (RFC 7638, RFC 8037). Immutable. */
public final class PublicReceiptKey {
    static final String ALGORITHM = "Ed25519";

    /** Bytes of a key. */
    private static final int BYTES = 32;
    /** What stands before them in a SubjectPublicKeyInfo (RFC 8410, section 4). */
    private static final byte[] PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    private final PublicKey key;
    private final String x;
    private final String kid;

    /** @param key of the JDK, of {@code Ed25519} */
    PublicReceiptKey(PublicKey key) {
        byte[] encoded = key.getEncoded();
        byte[] raw = new byte[BYTES];
        System.arraycopy(encoded, encoded.length - BYTES, raw, 0, BYTES);
        this.key = key;
        this.x = Base64Url.encode(raw);
        this.kid = thumbprint(x);
    }

    /**
     * The key that a JWK has in {@code x}.
     *
     * @throws ReceiptException if it is none
     */
    static PublicReceiptKey of(String x) throws ReceiptException {
        byte[] raw = Base64Url.decode(x, "x of a key");
        if (raw.length != BYTES) {
            throw new ReceiptException("x of a key must have %d bytes: bytes=%d".formatted(BYTES, raw.length));
        }
        byte[] encoded = new byte[PREFIX.length + BYTES];
        System.arraycopy(PREFIX, 0, encoded, 0, PREFIX.length);
        System.arraycopy(raw, 0, encoded, PREFIX.length, BYTES);
        try {
            PublicKey key = KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(encoded));
            Signature.getInstance(ALGORITHM).initVerify(key); // only there is it looked at
            return new PublicReceiptKey(key);
        } catch (GeneralSecurityException e) {
            throw new ReceiptException("x of a key is no point of the curve", e);
        }
    }

    private static String thumbprint(String x) {
        String members = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" + x + "\"}";
        try {
            return Base64Url.encode(MessageDigest.getInstance("SHA-256").digest(members.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /** The key itself, in base64url. */
    public String x() {
        return x;
    }

    /** Its name. */
    public String kid() {
        return kid;
    }

    /** Whether this signature of these bytes was made with its private key. */
    boolean verifies(byte[] signed, byte[] signature) {
        try {
            Signature verifier = Signature.getInstance(ALGORITHM);
            verifier.initVerify(key);
            verifier.update(signed);
            return verifier.verify(signature);
        } catch (SignatureException e) {
            return false; // it has another length, or is no point of the curve
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a key of Ed25519 cannot be used: kid=" + kid, e);
        }
    }

    @Override
    public String toString() {
        return kid;
    }
}
