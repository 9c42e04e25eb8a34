package dev.tidestream.server.transport.tls;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TlsIdentityTest {
    @TempDir
    static Path shared;
    private static TestCertificate one;
    private static TestCertificate other;

    @TempDir
    Path temp;

    @BeforeAll
    static void make() throws Exception {
        one = TestCertificate.make(shared, "one", "EC");
        other = TestCertificate.make(shared, "another", "EC");
    }

    private static String refusal(TlsFiles files) {
        return String.valueOf(assertThrows(TlsException.class, () -> TlsIdentity.read(files)).getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"RSA", "EC"})
    void shouldTakeKeysOf(String algorithm) throws Exception {
        TestCertificate made = TestCertificate.make(temp, "a", algorithm);
        TlsIdentity identity = TlsIdentity.read(made.write(temp));
        assertEquals("CN=a", identity.subject());
        assertTrue(identity.expires().isAfter(java.time.Instant.now()));
        byte[] sha256 = java.security.MessageDigest.getInstance("SHA-256").digest(made.certificate().getEncoded());
        assertEquals(HexFormat.of().formatHex(Arrays.copyOf(sha256, 8)), identity.fingerprint());
    }

    @Test
    void shouldRefuseTheKeyOfAnother() throws Exception {
        TlsFiles files = one.write(temp);
        Files.writeString(files.key(), other.keyPem());
        assertEquals("%s is not the key of %s".formatted(files.key(), files.certificate()), refusal(files));
    }

    @Test
    void shouldRefuseAKeyOfAnotherKind() throws Exception {
        TlsFiles files = one.write(temp);
        Files.writeString(files.key(), TestCertificate.make(temp, "rsa", "RSA").keyPem());
        assertTrue(refusal(files).contains(files.certificate() + ", " + files.key() + ": "), refusal(files));
    }

    /** Half a file is no PEM, and nothing of a key is in the message. */
    @Test
    void shouldRefuseWhatIsNoPem() throws Exception {
        TlsFiles files = one.write(temp);
        Files.writeString(files.key(), one.keyPem().substring(0, 100));
        assertTrue(refusal(files).startsWith("no certificate and key in PEM: "), refusal(files));
        assertFalse(refusal(files).contains(one.keyPem().substring(60, 80)), refusal(files));
        Files.writeString(files.key(), one.keyPem());
        Files.writeString(files.certificate(), "no certificate");
        assertTrue(refusal(files).startsWith("no certificate and key in PEM: "), refusal(files));
        Files.write(files.certificate(), new byte[(1 << 20) + 1]);
        assertEquals(files.certificate() + ": too large: limit_bytes=1048576", refusal(files));
    }

    @Test
    void shouldSayWhichFileIsMissing() throws Exception {
        TlsFiles files = one.write(temp);
        Files.delete(files.key());
        assertEquals("no such file: " + files.key(), refusal(files));
    }
}
