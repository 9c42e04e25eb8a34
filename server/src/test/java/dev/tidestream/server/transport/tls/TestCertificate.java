package dev.tidestream.server.transport.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A certificate for localhost and 127.0.0.1 that signs itself, made by the JDK's keytool.
 *
 * @param certificate itself
 * @param certificatePem the same in PEM
 * @param keyPem its key, PKCS #8 in PEM
 */
public record TestCertificate(Certificate certificate, String certificatePem, String keyPem) {
    private static final char[] PASSWORD = "a password for a minute".toCharArray();
    private static final int PATIENCE_S = 60;

    /** @param temp where keytool may write; a file of that name must not be there */
    public static TestCertificate make(Path temp, String name, String algorithm) throws IOException, InterruptedException,
            GeneralSecurityException {
        Path store = temp.resolve(name + ".p12");
        Path said = temp.resolve(name + ".keytool");
        Process keytool = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-keyalg", algorithm,
                "-alias", "a", "-dname", "CN=" + name, "-ext", "san=dns:localhost,ip:127.0.0.1", "-validity", "2",
                "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", new String(PASSWORD)))
                .redirectErrorStream(true).redirectOutput(said.toFile()).start();
        assertTrue(keytool.waitFor(PATIENCE_S, TimeUnit.SECONDS));
        assertEquals(0, keytool.exitValue(), Files.readString(said));
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        return new TestCertificate(keys.getCertificate("a"), pem("CERTIFICATE", keys.getCertificate("a").getEncoded()),
                pem("PRIVATE KEY", keys.getKey("a", PASSWORD).getEncoded()));
    }

    private static String pem(String type, byte[] bytes) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(
                type, Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(bytes), type);
    }

    /** Writes both into a directory. */
    public TlsFiles write(Path directory) throws IOException {
        return new TlsFiles(Files.writeString(directory.resolve("cert.pem"), certificatePem),
                Files.writeString(directory.resolve("key.pem"), keyPem));
    }

    /** What a client trusts that trusts these and nobody else. */
    public static SSLContext trusting(TestCertificate... certificates) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        for (int i = 0; i < certificates.length; i++) {
            trusted.setCertificateEntry("c" + i, certificates[i].certificate());
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
