package dev.tidestream.server.receipts;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ReceiptKeyFileTest {
    /** As {@code openssl genpkey -algorithm ed25519} writes it; the key of RFC 8032, 7.1, test 1. */
    private static final String OF_OPENSSL = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
            -----END PRIVATE KEY-----
            """;

    @TempDir
    Path temp;

    private Path write(String text, String permissions) throws Exception {
        Path file = Files.writeString(temp.resolve("key.pem"), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
        return file;
    }

    @Test
    void shouldReadKeysOfOthers() throws Exception {
        assertEquals("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                ReceiptKeyFile.read(write(OF_OPENSSL, "rw-------")).publicKey().x());
    }

    @Test
    void shouldMakeOneForItsOwnerAndKeepIt() throws Exception {
        Path file = temp.resolve("made.pem");
        String kid = ReceiptKeyFile.readOrMake(file).publicKey().kid();
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(kid, ReceiptKeyFile.readOrMake(file).publicKey().kid());
        assertEquals(kid, ReceiptKeyFile.read(file).publicKey().kid());
    }

    /** A process that was killed while it wrote has left half a file, under another name. */
    @Test
    void shouldNotMindAFileThatWasNotFinished() throws Exception {
        Path half = Files.writeString(temp.resolve("made.pem.new"), "-----BEGIN PRIV");
        String kid = ReceiptKeyFile.readOrMake(temp.resolve("made.pem")).publicKey().kid();
        assertFalse(Files.exists(half));
        assertEquals(kid, ReceiptKeyFile.read(temp.resolve("made.pem")).publicKey().kid());
    }

    @Test
    void shouldRefuseWhatOthersCouldUseAndWhatIsNone() throws Exception {
        assertRefused(write(OF_OPENSSL, "rw----r--"), "anybody may use the key");
        assertRefused(write(OF_OPENSSL, "rw-----w-"), "anybody may use the key");
        assertRefused(write("", "rw-------"), "no private key in PEM");
        assertRefused(write(OF_OPENSSL.replace("VwBC", "VxBC"), "rw-------"), "no private key of Ed25519");
        assertRefused(temp.resolve("none"), "no such file");
    }

    private static void assertRefused(Path file, String why) {
        ReceiptException e = assertThrows(ReceiptException.class, () -> ReceiptKeyFile.read(file));
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(why) && message.contains(file.toString()), message);
        assertFalse(message.contains("nWGx") || message.contains("J1hs"), "shows the key: " + message);
    }
}
