package dev.tidestream.server.receipts;

import java.io.Serial;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;

/** The Ed25519 key that a server signs receipts with. Immutable; shows nothing of itself. Safe for use by any thread. */
public final class SigningKey {
    private final PrivateKey key;
    private final PublicReceiptKey publicKey;

    private SigningKey(KeyPair pair) {
        this.key = pair.getPrivate();
        this.publicKey = new PublicReceiptKey(pair.getPublic());
    }

    /** A new key, of the system's randomness. */
    public static SigningKey generate() {
        return new SigningKey(pair(new SecureRandom()));
    }

    private static KeyPair pair(SecureRandom random) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(PublicReceiptKey.ALGORITHM);
            generator.initialize(NamedParameterSpec.ED25519, random);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every JDK has Ed25519", e);
        }
    }

    /**
     * The key that a PKCS #8 structure has (RFC 8410, section 7).
     *
     * @throws ReceiptException if it is none
     */
    static SigningKey ofPkcs8(byte[] encoded) throws ReceiptException {
        try {
            PrivateKey key = KeyFactory.getInstance(PublicReceiptKey.ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(encoded));
            byte[] seed = ((EdECPrivateKey) key).getBytes().orElseThrow(() -> new ReceiptException("the key cannot be read"));
            return ofSeed(seed);
        } catch (GeneralSecurityException | ClassCastException e) {
            throw new ReceiptException("no private key of Ed25519", e);
        }
    }

    /** The key that 32 bytes are (RFC 8032). The JDK makes public keys of private ones while it generates a pair only: of these bytes. */
    static SigningKey ofSeed(byte[] seed) throws ReceiptException {
        KeyPair pair = pair(new FixedBytes(seed));
        if (!Arrays.equals(((EdECPrivateKey) pair.getPrivate()).getBytes().orElse(null), seed)) {
            throw new ReceiptException("the public key cannot be derived from the private one");
        }
        return new SigningKey(pair);
    }

    /** What its receipts are verified with. */
    public PublicReceiptKey publicKey() {
        return publicKey;
    }

    /** In PKCS #8. */
    byte[] pkcs8() {
        return key.getEncoded();
    }

    byte[] sign(byte[] bytes) {
        try {
            Signature signature = Signature.getInstance(PublicReceiptKey.ALGORITHM);
            signature.initSign(key);
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a receipt cannot be signed: kid=" + publicKey.kid(), e);
        }
    }

    @Override
    public String toString() {
        return "SigningKey[kid=" + publicKey.kid() + "]";
    }

    /** Randomness that is none: the bytes of a key that there is. */
    private static final class FixedBytes extends SecureRandom {
        @Serial
        private static final long serialVersionUID = 1L;
        private final byte[] bytes;

        FixedBytes(byte[] bytes) {
            this.bytes = bytes.clone();
        }

        @Override
        public void nextBytes(byte[] out) {
            System.arraycopy(bytes, 0, out, 0, Math.min(out.length, bytes.length));
        }
    }
}
