package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class EvalCommandTest {
    @TempDir
    Path temp;

    private String text = "";

    @BeforeEach
    void write() throws IOException {
        String story = "Once upon a time there was a little girl. She liked to play in the garden. ";
        text = Files.writeString(temp.resolve("text.txt"), story.repeat(8)).toString();
    }

    private JsonNode json(String... more) throws IOException {
        List<String> words = new ArrayList<>(List.of("eval", "--json", "--file", text));
        words.addAll(List.of(more));
        if (!words.contains("--context")) {
            words.addAll(List.of("--context", "32"));
        }
        String[] args = words.toArray(String[]::new);
        Run run = Run.of(args);
        assertEquals(0, run.code(), run.err());
        assertEquals("", run.err());
        return new ObjectMapper().readTree(run.out());
    }

    @Test
    void shouldGiveTheSameBitsWithOneThreadAndTwo() throws IOException {
        JsonNode one = json("-t", "1");
        assertEquals(one, json("-t", "2"));
        assertEquals(one.get("windows").asInt() * 15, one.get("counted").asInt());
        assertEquals(one.get("tokens").asInt() / 32, one.get("windows").asInt());
        assertEquals(Math.exp(one.get("mean_negative_log_likelihood").asDouble()), one.get("perplexity").asDouble(), 1e-9);
        assertTrue(one.get("perplexity").asDouble() > 1 && one.get("perplexity").asDouble() < 100, one.toString());
    }

    @Test
    void shouldCountTheLastTokensOfOverlappingWindows() throws IOException {
        JsonNode stride = json("--stride", "8");
        assertEquals((stride.get("tokens").asInt() - 32) / 8 + 1, stride.get("windows").asInt());
        assertEquals(8 * stride.get("windows").asInt(), stride.get("counted").asInt());
    }

    @Test
    void shouldTakeWeightsInOtherFormats() throws IOException {
        double held = json().get("perplexity").asDouble();
        double fewer = json("--weights", "q2_k").get("perplexity").asDouble();
        assertTrue(fewer > held, "two bits are worse than eight: %s, %s".formatted(held, fewer));
        assertEquals(2, Run.of("eval", "--file", text, "--weights", "q9").code());
    }

    @Test
    void shouldPrintTwoLines() {
        Run run = Run.of("eval", "--file", text, "--context", "32");
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().matches("perplexity \\d+\\.\\d{4} \\+/- \\d+\\.\\d{4}\ntokens \\d+, counted \\d+, windows \\d+ of "
                + "32\n"), run.out());
    }

    /** Of two tokens side by side none is behind the first half; of overlapping ones the last counts. */
    @Test
    void shouldRefuseWindowsOfWhichNoTokenCounts() throws IOException {
        Run two = Run.of("eval", "--file", text, "--context", "2");
        assertEquals(2, two.code());
        assertTrue(two.err().contains("a window needs at least 3 tokens, or --stride: context=2"), two.err());
        JsonNode three = json("--context", "3");
        assertEquals(three.get("windows").asInt(), three.get("counted").asInt());
        JsonNode overlapping = json("--context", "2", "--stride", "1");
        assertEquals(overlapping.get("tokens").asInt() - 1, overlapping.get("counted").asInt());
    }

    @Test
    void shouldRefuseATextThatIsTooShortOrNoneOrNotText() throws IOException {
        Run shorter = Run.of("eval", "--file", text, "--context", "400");
        assertEquals(1, shorter.code());
        assertTrue(shorter.err().contains("text.txt is shorter than a window: tokens="), shorter.err());
        Run none = Run.of("eval", "--file", temp.resolve("none.txt").toString());
        assertEquals(1, none.code());
        assertTrue(none.err().contains("cannot read ") && none.err().contains("none.txt"), none.err());
        Path binary = Files.write(temp.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
        assertTrue(Run.of("eval", "--file", binary.toString()).err().contains("binary is not UTF-8"));
        assertEquals(2, Run.of("eval").code());
        assertEquals(2, Run.of("eval", "--file", text, "--context", "32", "--stride", "32").code());
        assertEquals(2, Run.of("eval", "--file", text, "--context", "1").code());
    }
}
