package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.server.admin.store.directory.DataDirectory;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
        assertRefused("no address of this machine: 192.0.2.1", serve("--port", "0", "--host", "192.0.2.1")); // of RFC 5737
        Run unknown = serve("--port", "0", "--host", "no-such-host.invalid");
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
        "--tls-cert", "--tls-key"})
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
        assertEquals(List.of("--admin-token-file", "--cache-packed", "--chat-template", "--config", "--data-dir", "--model", "--tls-cert",
                "--tls-key", "--update-dir"), paths);
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

    @Test
    void shouldRefuseABlankHost() {
        assertEquals(new Run(2, "", "tidestream: --host must not be blank: \"\" (see tidestream serve --help)\n"), Run.of("serve", "--host", ""));
    }
}
