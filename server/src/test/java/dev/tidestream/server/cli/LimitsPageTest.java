package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine.Model.OptionSpec;

import dev.tidestream.server.cli.terminal.ByteSize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** docs/limits.md has a row for every option of {@code serve} that takes a number, a size or a time, with its default. */
class LimitsPageTest {
    private static final Path PAGE = Path.of("docs", "limits.md");
    /** Numbers that bound nothing. */
    private static final Set<String> NO_LIMITS = Set.of("--port");
    private static final Set<Class<?>> MEASURES = Set.of(int.class, long.class, float.class, double.class, Integer.class, Long.class,
            Float.class, Double.class, ByteSize.class, Duration.class);

    /** From the module's directory or from the checkout's. */
    private static List<String> rows() throws IOException {
        Path page = Files.exists(PAGE) ? PAGE : Path.of("..").resolve(PAGE);
        return Files.readAllLines(page).stream().filter(line -> line.startsWith("|")).toList();
    }

    @TestFactory
    Stream<DynamicTest> shouldHaveARowFor() throws IOException {
        List<String> rows = rows();
        List<OptionSpec> limits = Main.commandLine(new ServeCommand()).getCommandSpec().options().stream()
                .filter(option -> MEASURES.contains(option.type()) && !NO_LIMITS.contains(option.longestName())).toList();
        assertTrue(limits.size() >= 11, limits.toString());
        return limits.stream().map(option -> DynamicTest.dynamicTest(option.longestName(), () -> check(rows, option)));
    }

    private static void check(List<String> rows, OptionSpec option) {
        List<String> found = rows.stream().filter(row -> cells(row).get(2).contains("`" + option.longestName() + "`")).toList();
        assertEquals(1, found.size(), "rows with " + option.longestName() + ": " + found);
        String byDefault = option.defaultValue();
        if (byDefault != null) {
            String shown = cells(found.getFirst()).get(3).replace(",", "");
            assertTrue((shown + " ").startsWith(byDefault + " "),
                    "%s is %s by default: %s".formatted(option.longestName(), byDefault, shown));
        }
    }

    /** The second is the limit's, the third the option's, the fourth the default's; the first is empty. */
    private static List<String> cells(String row) {
        return Stream.of(row.split("\\|", -1)).map(String::strip).toList();
    }
}
