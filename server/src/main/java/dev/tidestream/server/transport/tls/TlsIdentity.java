package dev.tidestream.server.transport.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.X509KeyManager;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.ServerSSLOptions;

import dev.tidestream.console.Reasons;

/** A certificate with its key, both read and found to belong together. Immutable, but for the options that are made of it. */
public final class TlsIdentity {
    /** Older versions are broken. */
    private static final Set<String> PROTOCOLS = new LinkedHashSet<>(List.of("TLSv1.3", "TLSv1.2"));
    private static final int MAX_FILE_BYTES = 1 << 20;
    private static final byte[] SAMPLE = "a text to be signed".getBytes(StandardCharsets.US_ASCII);
    private static final int FINGERPRINT_BYTES = 8;
    private static final List<String> KEY_TYPES = List.of("EC", "RSA");

    private final PemKeyCertOptions pem;
    private final X509Certificate certificate;

    private TlsIdentity(PemKeyCertOptions pem, X509Certificate certificate) {
        this.pem = pem;
        this.certificate = certificate;
    }

    /**
     * Reads both files; blocks.
     *
     * @throws TlsException if one cannot be read or is none, or the key is not that of the certificate
     */
    public static TlsIdentity read(TlsFiles files) throws TlsException {
        PemKeyCertOptions pem = new PemKeyCertOptions().setCertValue(content(files.certificate()))
                .setKeyValue(content(files.key()));
        try {
            for (KeyManager manager : pem.getKeyManagerFactory(null).getKeyManagers()) { // a Vert.x is needed for paths alone
                if (manager instanceof X509KeyManager keys) {
                    for (String type : KEY_TYPES) {
                        String[] aliases = keys.getServerAliases(type, null);
                        if (aliases != null && aliases.length > 0) {
                            X509Certificate own = keys.getCertificateChain(aliases[0])[0];
                            requirePair(own.getPublicKey(), keys.getPrivateKey(aliases[0]), files);
                            return new TlsIdentity(pem, own);
                        }
                    }
                }
            }
        } catch (TlsException e) {
            throw e;
        } catch (Exception e) { // whatever a reader of PEM throws
            throw new TlsException("no certificate and key in PEM: %s, %s: %s".formatted(files.certificate(), files.key(),
                    Reasons.of(e)), e);
        }
        throw new TlsException("no certificate and key in PEM: %s, %s".formatted(files.certificate(), files.key()));
    }

    private static Buffer content(Path file) throws TlsException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
            if (bytes.length > MAX_FILE_BYTES) {
                throw new TlsException("%s: too large: limit_bytes=%d".formatted(file, MAX_FILE_BYTES));
            }
            return Buffer.buffer(bytes);
        } catch (NoSuchFileException e) {
            throw new TlsException("no such file: " + file, e);
        } catch (IOException e) {
            throw new TlsException("%s: cannot be read: %s".formatted(file, Reasons.of(e)), e);
        }
    }

    /** Signs with one and verifies with the other. */
    private static void requirePair(PublicKey certified, PrivateKey key, TlsFiles files) throws TlsException {
        String algorithm = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            default -> throw new TlsException("%s: a key of %s, but RSA or EC is needed".formatted(files.key(),
                    key.getAlgorithm()));
        };
        boolean pair;
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(key);
            signature.update(SAMPLE);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(SAMPLE);
            pair = signature.verify(signed);
        } catch (GeneralSecurityException e) {
            throw new TlsException("%s is not the key of %s: %s".formatted(files.key(), files.certificate(), Reasons.of(e)), e);
        }
        if (!pair) {
            throw new TlsException("%s is not the key of %s".formatted(files.key(), files.certificate()));
        }
    }

    /** Makes a server one of this identity, with the same as {@link #options}. */
    public void applyTo(HttpServerOptions server, Duration handshake) {
        server.setSsl(true)
                .setUseAlpn(true)
                .setKeyCertOptions(pem.copy())
                .setEnabledSecureTransportProtocols(PROTOCOLS)
                .setSslHandshakeTimeout(handshake.toMillis())
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS);
    }

    /**
     * What Vert.x needs: this identity, TLS 1.2 and 1.3 by the JDK, HTTP/2 or HTTP/1.1 by ALPN.
     *
     * @param handshake how long one may take
     */
    public ServerSSLOptions options(Duration handshake) {
        return new ServerSSLOptions()
                .setKeyCertOptions(pem.copy())
                .setEnabledSecureTransportProtocols(PROTOCOLS)
                .setUseAlpn(true)
                .setApplicationLayerProtocols(List.of("h2", "http/1.1"))
                .setSslHandshakeTimeout(handshake.toMillis())
                .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS);
    }

    /** Whose certificate it is, as it says. */
    public String subject() {
        return certificate.getSubjectX500Principal().getName();
    }

    /** The first 8 bytes of the certificate's SHA-256. */
    public String fingerprint() {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
            return HexFormat.of().formatHex(hash, 0, FINGERPRINT_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("it was read from its encoding", e);
        }
    }

    /** From when it is of no use. */
    public Instant expires() {
        return certificate.getNotAfter().toInstant();
    }
}
