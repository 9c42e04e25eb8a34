package dev.tidestream.loadtest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ScenarioTest {
    private static final Path HOME = Path.of("..");

    @Test
    void shouldHaveReadyScenariosThatAreDocumentedAndValid() throws Exception {
        List<String> names;
        try (Stream<Path> files = Files.list(Path.of("scenarios"))) {
            names = files.map(file -> file.getFileName().toString().replace(".json", "")).sorted().toList();
        }
        assertEquals(List.of("10k-idle", "beside-sse", "chaos", "knee", "slow-readers", "smoke", "steady",
                "updates-under-load"), names);
        for (String name : names) {
            Scenario scenario = Scenario.load(HOME, name);
            assertFalse(scenario.description().isBlank(), name);
            assertTrue(Files.readString(Path.of("scenarios", name + ".json")).contains("\"takes\": \""), name);
            Main.commandLine(new Scenario.Expanded(scenario.arguments(), "")).parseArgs(scenario.arguments()
                    .toArray(String[]::new));
        }
    }

    @Test
    void shouldLetTheCommandLineWin() throws Exception {
        Scenario.Expanded steady = Scenario.expand(HOME, List.of("--scenario", "steady", "--rate", "9"));
        List<String> args = steady.arguments();
        assertTrue(steady.question().startsWith("What does the server do for a steady crowd?"), steady.question());
        assertEquals("", Scenario.expand(HOME, List.of("--rate", "9")).question());
        assertTrue(args.indexOf("--rate") < args.lastIndexOf("--rate"), args.toString());
        assertEquals("9", args.getLast());
        assertEquals("--scenario=smoke", Scenario.expand(HOME, List.of("smoke")).arguments().getLast());
        assertThrows(LoadFailedException.class, () -> Scenario.expand(HOME, List.of("--scenario=none")));
    }
}
