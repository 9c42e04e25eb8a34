package dev.tidestream.server.configuration;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SettingsTest {
    private static final SettingNames NAMES = new SettingNames(
            Set.of("port", "max-streams", "allow-origin", "drain-timeout", "api-keys", "model"), Set.of("allow-origin"),
            Map.of("shutdown-grace", "drain-timeout"));

    @TempDir
    Path temp;

    private Settings read(String yaml, Map<String, String> environment) throws Exception {
        return Settings.read(NAMES, Files.writeString(temp.resolve("t.yaml"), yaml), environment);
    }

    private String refusal(String yaml) {
        return String.valueOf(assertThrows(ConfigurationException.class, () -> read(yaml, Map.of())).getMessage())
                .replace(temp + "/", "");
    }

    @Test
    void shouldReadValuesAsTheyAreWritten() throws Exception {
        Settings settings = read("""
                # of a server
                port: 0x1F
                max-streams: 007
                model: 'no'
                allow-origin:
                  - https://a.example
                  - "*"
                """, Map.of());
        Path file = temp.resolve("t.yaml");
        assertEquals(new Setting("port", List.of("0x1F"), new Origin.FileLine(file, 2)), settings.of("port").orElseThrow());
        assertEquals(List.of("007"), settings.of("max-streams").orElseThrow().values());
        assertEquals(List.of("no"), settings.of("model").orElseThrow().values());
        assertEquals(new Setting("allow-origin", List.of("https://a.example", "*"), new Origin.FileLine(file, 5)),
                settings.of("allow-origin").orElseThrow());
        assertTrue(settings.of("drain-timeout").isEmpty());
    }

    @Test
    void shouldLetTheEnvironmentGoFirst() throws Exception {
        Settings settings = read("port: 1\nshutdown-grace: 3\n", Map.of(
                "TIDESTREAM_PORT", "2", "TIDESTREAM_ALLOW_ORIGIN", "https://a.example,https://b.example",
                "TIDESTREAM_JAVA_OPTS", "-Xmx1g"));
        assertEquals(new Setting("port", List.of("2"), new Origin.Environment("TIDESTREAM_PORT")), settings.of("port")
                .orElseThrow());
        assertEquals(List.of("https://a.example", "https://b.example"), settings.of("allow-origin").orElseThrow().values());
        assertEquals(List.of("3"), settings.of("drain-timeout").orElseThrow().values(), "an alias");
        assertEquals(List.of(), settings.warnings());
    }

    /** Kubernetes makes such variables for a service that is called tidestream. */
    @Test
    void shouldLetVariablesOfOthersBe() throws Exception {
        Settings settings = read("", Map.of("TIDESTREAM_PORT", "tcp://10.0.0.1:8080", "TIDESTREAM_SERVICE_HOST", "10.0.0.1",
                "TIDESTREAM_PORT_8080_TCP_ADDR", "10.0.0.1", "TIDESTREAM_ADMIN_TOKEN", "a secret", "TIDESTREAM_API_KEY", "another",
                "TIDESTREAM_MAX_STREMS", "4"));
        assertTrue(settings.of("port").isEmpty());
        assertEquals(List.of("TIDESTREAM_MAX_STREMS is no setting; did you mean TIDESTREAM_MAX_STREAMS?"), settings.warnings());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "prot: 1                             | t.yaml:1: unknown setting 'prot'; did you mean port?",
        "max_streams: 1                      | t.yaml:1: unknown setting 'max_streams'; did you mean max-streams?",
        "max: 1                              | t.yaml:1: unknown setting 'max'; did you mean max-streams?",
        "somethingelse: 1                    | t.yaml:1: unknown setting 'somethingelse'",
        "port: 1\\nport: 2                   | t.yaml:2: port is given twice, before in t.yaml:1",
        "drain-timeout: 1\\nshutdown-grace: 2 | t.yaml:2: drain-timeout is given twice, before in t.yaml:1",
        "port:                               | t.yaml:1: port has no value",
        "port: [1, 2]                        | t.yaml:1: port takes one value",
        "limits:\\n  port: 1                 | t.yaml:1: unknown setting 'limits'",
        "port:\\n  value: 1                  | t.yaml:2: port takes one value",
        "allow-origin: {a: b}                | t.yaml:1: allow-origin takes a value or a list of values",
        "allow-origin: [[a]]                 | t.yaml:1: allow-origin takes a list of plain values",
        "- port                              | t.yaml:1: no mapping of names to values, such as max-streams: 64",
        "port: \\u0001                        | t.yaml: no YAML: ",
        "port: &a 1\\nmax-streams: *b         | t.yaml:2: no YAML: ",
        "port: 'x                            | t.yaml:1: no YAML: ",
        "? [port]\\n: 1                      | t.yaml: no YAML: ",
    })
    void shouldSayWhatIsWrong(String yaml, String message) {
        String said = refusal(yaml.replace("\\n", "\n").replace("\\u0001", "\u0001"));
        assertTrue(said.startsWith(message), said);
        assertTrue(said.lines().count() == 1, said);
    }

    /** A tag is a word, and makes no object; an anchor makes no bomb. */
    @Test
    void shouldMakeNothingOfTags() throws Exception {
        assertEquals(List.of("x"), read("model: !!javax.script.ScriptEngineManager x\n", Map.of()).of("model").orElseThrow()
                .values());
        assertTrue(refusal("model: !!javax.script.ScriptEngineManager [a]\n").contains("model takes one value"));
    }

    @Test
    void shouldBoundTheFile() throws Exception {
        assertEquals("t.yaml: too large: limit_bytes=262144", refusal("#" + "x".repeat(256 << 10)));
        Files.write(temp.resolve("t.yaml"), new byte[] {'a', (byte) 0xFF});
        assertEquals("no such file: " + temp.resolve("none"),
                assertThrows(ConfigurationException.class, () -> Settings.read(NAMES, temp.resolve("none"), Map.of()))
                .getMessage());
        assertEquals(temp.resolve("t.yaml") + ": no UTF-8",
                assertThrows(ConfigurationException.class, () -> Settings.read(NAMES, temp.resolve("t.yaml"), Map.of()))
                .getMessage());
    }
}
