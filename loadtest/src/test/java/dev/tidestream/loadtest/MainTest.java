package dev.tidestream.loadtest;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MainTest {
    private final StringWriter said = new StringWriter();

    private int run(String... args) {
        return Main.run(new PrintWriter(said), new PrintWriter(said), args);
    }

    @Test
    void shouldAnswerHelpAndWrongUsage() {
        assertEquals(0, run("--help"));
        assertEquals(0, run("report", "--help"));
        assertEquals(2, run("--concurrency", "none"));
        assertEquals(2, run("--concurrency", "0"));
        assertEquals(2, run("--duration", "10"));
        assertTrue(said.toString().contains("not a duration such as 500ms, 10s or 2m: 10"), said.toString());
        assertEquals(2, run("--faults", "vanish=2"));
        assertEquals(2, run("--find-max"));
        assertEquals(2, run("--scenario", "no-such-scenario"));
        assertTrue(said.toString().contains("loadtest: scenario cannot be read: loadtest/scenarios/no-such-scenario.json: no such"
                + " file\n") || said.toString().contains("no-such-scenario.json: no such file\n"), said.toString());
    }

    /** In our words, with the option and an example: the same ones as those of the server's commands. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "--updates-per-s 1 | --updates-per-s and --toggles-per-s need --admin-token-file FILE, or --spawn",
        "--toggles-per-s 1 | --updates-per-s and --toggles-per-s need --admin-token-file FILE, or --spawn",
        "--duration 10 | --duration: not a duration such as 500ms, 10s or 2m: 10, for example --duration 60s",
        "--seed x | --seed must be a whole number: 'x', for example --seed 1",
        "--target ollama | --target must be tidestream or openai: 'ollama', for example --target openai",
        "--sed 1 | unknown option '--sed'; did you mean --seed?",
        "--slo | --slo needs a value, for example --slo ttft=500ms,itl=50ms",
        "--rate --spawn | --rate needs a value, and --spawn is another option, for example --rate 5",
        "--streams-per-connection 0 | --streams-per-connection must be at least 1: 0",
        "--requests 0 | --requests must be at least 1: 0",
        "--follow 1.5 | --follow must be in [0, 1]: 1.5",
        "--temperature NaN | --temperature must be at least 0: NaN",
        "--sweep 4,0 | --sweep must be above 0: 0.0",
        "--url nowhere | --url must be like ws://127.0.0.1:8080/v1/stream: nowhere",
        "rpeort | unknown command 'rpeort'; did you mean report?"})
    void shouldSayWhatIsWrongInOurWords(String wrong, String message) {
        assertEquals(2, run(wrong.split(" ")));
        assertEquals("loadtest: %s (see tidestream loadtest --help)\n".formatted(message), said.toString());
    }

    @Test
    void shouldTakeArgumentsAsTheyAre() {
        assertEquals(1, run("--url", "ws://127.0.0.1:1/v1/stream", "--prompt", "@no-such-file", "--spawn-args", "-m x"));
        assertTrue(said.toString().startsWith("loadtest: no request came to its end") || said.toString().contains("connection refused"),
                said.toString());
    }

    @Test
    void shouldSayWhyAFileCannotBeUsed(@TempDir Path directory) throws Exception {
        Path bytes = Files.write(directory.resolve("bytes.json"), new byte[] {'{', (byte) 0xE9});
        assertEquals(1, run("report", bytes.toString()));
        assertEquals("loadtest: " + bytes + " is no report of loadtest: it is not UTF-8\n", said.toString());
        said.getBuffer().setLength(0);
        assertEquals(1, run("report", directory.toString()));
        assertEquals("loadtest: " + directory + ": is a directory\n", said.toString());
        said.getBuffer().setLength(0);
        assertEquals(1, run("--prompts", bytes.toString()));
        assertEquals("loadtest: prompts cannot be read: " + bytes + ": it is not UTF-8\n", said.toString());
    }

    @Test
    void shouldSayItsVersion() {
        assertEquals(0, run("--version"));
        assertTrue(said.toString().startsWith("tidestream loadtest "), said.toString());
        assertEquals(0, run("report", "-V"));
        assertEquals(2, said.toString().lines().filter(line -> line.contains("(Java " + Runtime.version())).count(), said.toString());
    }

    /** What does not fit together is said before anything is started. */
    @Test
    void shouldRefuseWhatDoesNotFit() {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        for (String wrong : new String[] {"--sweep 1,2 --find-max --slo ttft=1s", "--rate ramp:1-5 --requests 9",
            "--rate steps:1,2 --sweep 1,2", "--target openai --credit paced:5", "--target openai --follow 1", "--api chat",
            "--spawn --url ws://x", "--repeats 2", "--target openai --api chat --url http://x/v1/completions",
            "--baseline-url http://x/v1/completions --idle 3", "--baseline-command x", "--turns 2 --prompt x",
            "--target openai --turns 2", "--words --prompt x", "--shared-prefix 0.5 --prompts x", "--shared-prefix 2",
            "--concurrency ramp:0.5-3", "--faults vanish=x", "--updates-per-s -1", "report",
            "report a b", "report --compare a"}) {
            assertEquals(2, Main.run(new PrintWriter(out), new PrintWriter(err), wrong.split(" ")), wrong);
        }
        assertEquals("", out.toString());
        assertTrue(err.toString().contains("--find-max exclude each other"), err.toString());
        assertEquals(1, Main.run(new PrintWriter(out), new PrintWriter(err), "--prompts", "no-such-file.jsonl"));
        assertEquals(1, Main.run(new PrintWriter(out), new PrintWriter(err), "report", "no-such-file.json"));
        assertEquals("", out.toString());
        assertTrue(err.toString().contains("loadtest: no such file: no-such-file.jsonl"), err.toString());
        assertTrue(err.toString().contains("loadtest: no such file: no-such-file.json\n"), err.toString());
    }

    @Test
    void shouldFailWhenNobodyListens() {
        // port 1: a free one that is looked for may be somebody else's a moment later
        assertEquals(1, run("--url", "ws://127.0.0.1:1/v1/stream"));
        assertTrue(said.toString().contains("cannot connect to http://127.0.0.1:1/v1/models"), said.toString());
        assertEquals(1, run("--url", "ws://127.0.0.1:1/v1/stream", "--prompt", "x"));
        assertEquals(1, run("--url", "gopher://127.0.0.1/"));
    }
}
