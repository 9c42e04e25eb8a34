package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.server.cli.configuration.HotSettings;
import dev.tidestream.server.cli.configuration.SettingDefaults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Settings of {@code serve} that come from a file; the environment of tests has none. */
class ConfigCommandTest {
    @TempDir
    Path temp;

    private String file(String yaml) throws Exception {
        return Files.writeString(temp.resolve("t.yaml"), yaml).toString();
    }

    @Test
    void shouldShowWhereValuesComeFrom() throws Exception {
        String file = file("max-streams: 5\nport: 99\nallow-origin: [https://a.example, https://b.example]\nshutdown-grace: 3\n");
        Run run = Run.of("config", "--config", file, "--port", "7");
        assertEquals(0, run.code(), run.err());
        List<String> rows = run.out().lines().map(line -> line.replaceAll(" {2,}", "|")).toList();
        assertTrue(rows.contains("max-streams|5|" + file + ":1|at once"), run.out());
        assertTrue(rows.contains("port|7|flag|at a restart"), run.out());
        assertTrue(rows.contains("allow-origin|https://a.example,https://b.example|" + file + ":3|at once"), run.out());
        assertTrue(rows.contains("drain-timeout|3|" + file + ":4|at once"), run.out());
        assertTrue(rows.contains("kv-memory|1GiB|default|at a restart"), run.out());
        assertTrue(rows.contains("threads|one per core|default|at a restart"), run.out());
    }

    @Test
    void shouldShowThemToPrograms() throws Exception {
        String file = file("kv-type: f32\n");
        JsonNode settings = new ObjectMapper().readTree(Run.of("config", "--config", file, "--json").out()).get("settings");
        assertEquals("{\"value\":\"f32\",\"origin\":\"file\",\"file\":\"%s\",\"line\":1,\"hot\":false}".formatted(file),
                settings.get("kv-type").toString());
        assertEquals("{\"value\":\"64\",\"origin\":\"default\",\"hot\":true}", settings.get("max-streams").toString());
        assertEquals("{\"value\":null,\"computed\":\"one per core\",\"origin\":\"default\",\"hot\":false}",
                settings.get("threads").toString());
    }

    /** With the words that flags are refused with, and where the value stands. */
    @Test
    void shouldRefuseValuesAsThoseOfTheCommandLine() throws Exception {
        String file = file("# one\nport: 65536\n");
        String see = " (see tidestream config --help)\n";
        assertEquals(new Run(2, "", "tidestream: --port must be 0 to 65535: 65536 (from %s:2)%s".formatted(file, see)),
                Run.of("config", "--config", file));
        assertEquals(new Run(2, "", "tidestream: --port must be 0 to 65535: 65537" + see),
                Run.of("config", "--config", file, "--port", "65537"));
        assertEquals(0, Run.of("config", "--config", file, "--port=1").code(), "nobody asks for it");
        file("port: http\n");
        String said = Run.of("config", "--config", file).err();
        assertTrue(said.startsWith("tidestream: --port must be a whole number, or none: \"http\""), said);
        assertTrue(said.contains(" (from %s:1)".formatted(file)), said);
        file("max-prompt-memory: 2MiB\n");
        assertEquals(new Run(2, "", "tidestream: --max-prompt-memory must be at least 4194304: 2097152 (from %s:1)%s".formatted(file, see)),
                Run.of("config", "--config", file));
        file("tls-cert: a.pem\n");
        assertEquals(new Run(2, "", "tidestream: --tls-cert needs --tls-key, too (from %s:1)%s".formatted(file, see)),
                Run.of("config", "--config", file));
        file("prot: 1\n");
        assertEquals(new Run(2, "", "tidestream: %s:1: unknown setting 'prot'; did you mean port?%s".formatted(file, see)),
                Run.of("config", "--config", file));
        assertEquals(new Run(2, "", "tidestream: no such file: %s/none%s".formatted(temp, see)),
                Run.of("config", "--config", temp + "/none"));
    }

    /** Help is there whatever the file says. */
    @Test
    void shouldHelpAllTheSame() throws Exception {
        assertEquals(0, Run.of("serve", "--config", file("prot: 1\n"), "--help").code());
    }

    @Test
    void shouldSayOfNoSettingThatItIsHotThatThereIsNot() {
        Set<String> names = new TreeSet<>(SettingDefaults.names(Main.commandLine(new ServeCommand()).getCommandSpec()).all());
        Set<String> hot = names.stream().filter(HotSettings::isHot).collect(Collectors.toCollection(TreeSet::new));
        assertEquals(HotSettings.names(), hot);
        assertFalse(names.contains("config"));
    }
}
