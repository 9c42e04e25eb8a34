package dev.tidestream.model.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PerformanceTableTest {
    private static final String PAGE = "before\n<!-- table of x -->\nold\n<!-- end of table -->\nafter\n";
    private static final String LINE = "{\"machine\":\"A\",\"date\":\"D\",\"commit\":\"C\",\"test\":\"decode\","
            + "\"llama.cpp\":10,\"tidestream\":11,\"wanted\":1.10}";

    @Test
    void shouldReplaceWhatStandsBetweenTheComments() {
        String page = PerformanceTable.write(PAGE, List.of(LINE));

        assertEquals("""
                before
                <!-- table of x -->
                | tokens/s, llama.cpp / Tidestream | goal | A, D, `C` |
                |---|---|---|
                | decode | 1.10 | 10 / 11, **1.10** |
                <!-- end of table -->
                after
                """, page);
        assertEquals(page, PerformanceTable.write(page, List.of(LINE)), "writing twice changes nothing");
    }

    @Test
    void shouldSayWhatIsMissedAndWhatWasNotMeasured() {
        String other = LINE.replace("\"A\"", "\"B\"").replace("decode", "prompt").replace(":11", ":10.5");
        String page = PerformanceTable.write(PAGE, List.of(LINE, other));

        assertTrue(page.contains("| decode | 1.10 | 10 / 11, **1.10** | not measured |"), page);
        assertTrue(page.contains("| prompt | 1.10 | not measured | 10 / 10.5, 1.05 (missed) |"), page);
    }

    @Test
    void shouldNameTheFieldThatIsMissing() {
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class, () -> PerformanceTable.write(PAGE, List.of(LINE.replace("\"commit\":\"C\",", ""))));
        assertTrue(String.valueOf(refused.getMessage()).startsWith("no commit in the line: {"), refused.getMessage());
    }

    /** The page in the repository is what the tool makes of the figures in the repository. */
    @Test
    void shouldBeThePageThatIsInTheRepository() throws IOException {
        Path docs = Path.of("..", "docs");
        String page = Files.readString(docs.resolve("performance.md"));

        assertEquals(page, PerformanceTable.write(page, Files.readAllLines(docs.resolve("charts/goals.jsonl"))));
    }
}
