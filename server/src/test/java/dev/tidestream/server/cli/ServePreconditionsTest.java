package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.admin.store.directory.DataDirectory;
import dev.tidestream.server.keys.ApiKey;
import dev.tidestream.server.keys.KeyFile;
import dev.tidestream.server.keys.KeyHash;
import dev.tidestream.server.keys.KeyLimits;
import dev.tidestream.server.keys.KeyText;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What {@code serve} refuses before it loads a model: the model named here is not there, so that a message about anything else was
 * found first.
 */
class ServePreconditionsTest {
    private static final String TOKEN = "a-token-of-this-test-alone";

    @TempDir
    Path temp;

    private Run serve(String... options) {
        String[] args = new String[options.length + 3];
        args[0] = "serve";
        args[1] = "--model";
        args[2] = temp.resolve("no-such-model.gguf").toString();
        System.arraycopy(options, 0, args, 3, options.length);
        return Run.of(args);
    }

    private static void assertRefused(String message, Run run) {
        assertEquals(new Run(1, "", "tidestream: " + message + "\n"), run);
    }

    @Test
    void shouldLookForTheModelOnceAllElseIsRight() throws IOException {
        Path token = Files.writeString(temp.resolve("token"), TOKEN);
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        Run run = serve("--port", "0", "--update-dir", temp.toString(), "--admin-token-file", token.toString(),
                "--data-dir", temp.resolve("data").toString());
        assertEquals(1, run.code());
        assertTrue(run.err().contains("no-such-model.gguf"), run.err());
    }

    @Test
    void shouldNameAnAddressInUse() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertRefused("address in use: 127.0.0.1:" + other.getLocalPort(), serve("--port", Integer.toString(other.getLocalPort())));
        }
    }

    @Test
    void shouldNameAnAddressThatIsNotOfThisMachine() {
        // of RFC 5737
        assertRefused("no address of this machine: 192.0.2.1",
                serve("--port", "0", "--allow-unauthenticated", "--host", "192.0.2.1"));
        Run unknown = serve("--port", "0", "--allow-unauthenticated", "--host", "no-such-host.invalid");
        assertRefused("no such host: no-such-host.invalid", unknown);
    }

    @Test
    void shouldNameAnUpdateDirectoryThatIsNone() throws IOException {
        Path missing = temp.resolve("missing");
        assertRefused("no such directory: %s (--update-dir)".formatted(missing), serve("--port", "0", "--update-dir", missing.toString()));
        Path file = Files.writeString(temp.resolve("file"), "");
        assertRefused("no directory: %s (--update-dir)".formatted(file), serve("--port", "0", "--update-dir", file.toString()));
    }

    @Test
    void shouldNameATokenFileThatIsMissing() {
        Path missing = temp.resolve("missing");
        assertRefused("no such file: %s (--admin-token-file)".formatted(missing),
                serve("--port", "0", "--admin-token-file", missing.toString()));
    }

    @Test
    void shouldRefuseATokenThatAnybodyMayWrite() throws IOException {
        Path token = Files.writeString(temp.resolve("token"), TOKEN);
        for (String permissions : List.of("rw----rw-", "rw-rw-rw-", "r------w-")) {
            Files.setPosixFilePermissions(token, PosixFilePermissions.fromString(permissions));
            assertRefused("anybody may write the admin token: %s has permissions %s; run chmod 600 on it".formatted(token, permissions),
                    serve("--port", "0", "--admin-token-file", token.toString()));
        }
    }

    @Test
    void shouldNameADataDirectoryThatIsInUseOrNone() throws Exception {
        Path data = temp.resolve("data");
        try (DataDirectory _ = DataDirectory.lock(data)) {
            assertRefused("cannot serve from the data directory: %s: in use by another server".formatted(data),
                    serve("--port", "0", "--data-dir", data.toString()));
        }
        Path file = Files.writeString(temp.resolve("file"), "");
        assertRefused("cannot serve from the data directory: %s: no directory".formatted(file),
                serve("--port", "0", "--data-dir", file.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--model", "--data-dir", "--update-dir", "--admin-token-file", "--cache-packed", "--chat-template", "--config",
        "--tls-cert", "--tls-key", "--api-keys", "--receipt-key", "--receipt-trust", "--adapter-dir", "--trainer-dir",
        "--cluster-secret-file"})
    void shouldRefuseBlankPathsWithTheirOption(String option) {
        for (String blank : List.of("", " ", "\t")) {
            for (Run run : List.of(Run.of("serve", option, blank), Run.of("serve", option + "=" + blank))) {
                assertEquals(2, run.code());
                assertTrue(run.err().startsWith("tidestream: " + option + " must not be blank"), run.err());
                assertTrue(run.err().endsWith(" (see tidestream serve --help)\n"), run.err());
            }
        }
    }

    /** No path option may be left out of the test above. */
    @Test
    void shouldKnowAllPathOptionsOfServe() {
        List<String> paths = Main.commandLine(new ServeCommand()).getCommandSpec().options().stream()
                .filter(option -> option.type() == Path.class).map(option -> option.longestName()).sorted().toList();
        assertEquals(List.of("--adapter-dir", "--admin-token-file", "--api-keys", "--cache-packed", "--chat-template",
                "--cluster-secret-file", "--config", "--data-dir", "--model", "--receipt-key", "--receipt-trust", "--tls-cert", "--tls-key", "--unix-socket",
                "--update-dir"), paths);
    }

    @Test
    void shouldRefuseASocketThatCannotBe() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "text");
        assertRefused("there is a file that is no socket: %s (--unix-socket)".formatted(file),
                serve("--port", "none", "--unix-socket", file.toString()));
        assertEquals(new Run(2, "", "tidestream: --port none needs --unix-socket FILE: there would be nowhere to come in"
                + " (see tidestream serve --help)\n"), Run.of("serve", "--port", "none"));
    }

    @Test
    void shouldRefuseACertificateThatIsNone() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "no certificate");
        Run run = Run.of("serve", "--port", "0", "--tls-cert", file.toString(), "--tls-key", file.toString());
        assertEquals(1, run.code());
        assertTrue(run.err().startsWith("tidestream: no certificate and key in PEM: %s, %s: ".formatted(file, file)), run.err());
        assertTrue(run.err().endsWith(" (--tls-cert, --tls-key)\n"), run.err());
        Path none = temp.resolve("none");
        assertEquals(new Run(1, "", "tidestream: no such file: %s (--tls-cert, --tls-key)\n".formatted(none)),
                Run.of("serve", "--port", "0", "--tls-cert", none.toString(), "--tls-key", file.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "192.0.2.1", "::", "some-host.example"})
    void shouldListenBeyondThisMachineOnlyWithKeysOrIfToldSo(String host) {
        assertEquals(new Run(2, "", ("tidestream: --host \"%s\" lets other machines in, and without keys whoever reaches the "
                + "port may generate:"
                + " give --api-keys FILE (tidestream keys add makes it), or --allow-unauthenticated if that is meant"
                + " (see tidestream serve --help)\n").formatted(host)), Run.of("serve", "--port", "0", "--host", host));
        for (String[] meant : List.of(new String[] {"--allow-unauthenticated"}, new String[] {"--api-keys", "some"})) {
            List<String> all = new ArrayList<>(List.of("serve", "--host", host, "--max-sequences", "0"));
            all.addAll(List.of(meant));
            assertTrue(Run.of(all.toArray(String[]::new)).err().startsWith("tidestream: --max-sequences must be"));
        }
    }

    @Test
    void shouldNameAFileOfKeysThatIsOfNoUse() throws IOException {
        Path file = temp.resolve("keys");
        assertRefused("no such file: %s (--api-keys); tidestream keys add makes it".formatted(file),
                serve("--port", "0", "--api-keys", file.toString()));
        Files.writeString(file, "alice ts-a-key-where-a-hash-should-be\n");
        assertRefused("%s: line 1: after the name comes sha256: and the hash of the key (--api-keys)".formatted(file),
                serve("--port", "0", "--api-keys", file.toString()));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertRefused("%s: anybody may write it, and so make keys; run chmod 600 on it (--api-keys)".formatted(file),
                serve("--port", "0", "--api-keys", file.toString()));
    }

    @Test
    void shouldRefuseAnAdminTokenThatIsAnApiKey() throws Exception {
        Path keys = temp.resolve("keys");
        String key = KeyText.generate();
        new KeyFile(keys).add(new ApiKey("alice", KeyHash.of(key), KeyLimits.NONE));
        Path token = Files.writeString(temp.resolve("token"), key);
        Run run = serve("--port", "0", "--api-keys", keys.toString(), "--admin-token-file", token.toString());
        assertRefused("%s: the admin token is also the API key of alice: whoever may stream could administrate".formatted(keys), run);
        assertFalse(run.err().contains(key), run.err());
    }

    @Test
    void shouldRefuseABlankHost() {
        assertEquals(new Run(2, "", "tidestream: --host must not be blank: \"\" (see tidestream serve --help)\n"),
                Run.of("serve", "--host", ""));
    }
}
