package dev.tidestream.server.cli.admin;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import dev.tidestream.server.cli.Run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** Where the {@code admin} commands connect to, and with which token. */
class AdminOptionsTest {
    @TempDir
    Path folder;

    /** Prints no token but its length: the tests below must not be the ones that leak it. */
    @Command(name = "probe")
    private static final class Probe implements Callable<Integer> {
        @Mixin
        private final AdminOptions options = new AdminOptions();

        private final Map<String, String> environment;
        private String token = "";

        private Probe(Map<String, String> environment) {
            this.environment = environment;
        }

        @Override
        public Integer call() {
            token = options.token(environment::get);
            return 0;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ws://127.0.0.1:8080, ws://127.0.0.1:8080/v1/admin",
        "http://localhost:1/, ws://localhost:1/v1/admin",
        "HTTPS://example.org, wss://example.org/v1/admin",
        "wss://example.org/v1/admin/, wss://example.org/v1/admin",
        "ws://[::1]:80/proxied, ws://[::1]:80/proxied/v1/admin",
    })
    void shouldFindTheEndpoint(String url, String endpoint) {
        assertEquals(URI.create(endpoint), AdminOptions.endpoint(url));
    }

    @Test
    void shouldPreferTheFile() throws Exception {
        Path file = Files.writeString(folder.resolve("t"), "\nfrom-file\r\n");
        Probe probe = new Probe(Map.of(AdminOptions.TOKEN_VARIABLE, "from-environment"));
        assertEquals(new Run(0, "", ""), Run.of(probe));
        assertEquals("from-environment", probe.token);
        Probe other = new Probe(Map.of(AdminOptions.TOKEN_VARIABLE, "from-environment"));
        assertEquals(new Run(0, "", ""), Run.of(other, "--token-file", file.toString()));
        assertEquals("from-file", other.token);
    }

    @Test
    void shouldNeedAToken() {
        assertEquals(new Run(2, "", "tidestream: no admin token: give --token-file FILE, or set the environment variable "
                + "TIDESTREAM_ADMIN_TOKEN (see probe --help)\n"), Run.of(new Probe(Map.of())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "two words", "line\nline", "caf\u00e9", "tab\there", "\u0000"})
    void shouldRefuseWhatIsNoTokenWithoutRepeatingIt(String text) throws Exception {
        Path file = Files.writeString(folder.resolve("t"), text);
        Run run = Run.of(new Probe(Map.of()), "--token-file", file.toString());
        assertEquals(new Run(1, "", "tidestream: %s: no token: must be one word of visible ASCII characters: characters=%d\n"
                .formatted(file, text.strip().length())), run);
        assertFalse(!text.isBlank() && run.err().contains(text), run.err());
    }

    @Test
    void shouldRefuseAFileThatCannotBeRead() throws Exception {
        assertEquals(new Run(1, "", "tidestream: no-such: no such file\n"),
                Run.of(new Probe(Map.of()), "--token-file", "no-such"));
        Path binary = Files.write(folder.resolve("b"), new byte[] {(byte) 0xC3, 0x28});
        assertEquals(new Run(1, "", "tidestream: " + binary + ": no token: not a text\n"),
                Run.of(new Probe(Map.of()), "--token-file", binary.toString()));
    }
}
