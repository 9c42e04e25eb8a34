package dev.tidestream.loadtest.plan;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PlanTest {
    private static final long SEED = 5;

    private final SplittableRandom random = new SplittableRandom(SEED);

    @Test
    void shouldReadTimes() {
        assertEquals(Duration.ofMillis(500), Times.parse("500ms"));
        assertEquals(Duration.ofSeconds(90), Times.parse("1.5m"));
        assertEquals(Duration.ofNanos(250_000), Times.parse("250us"));
        for (String wrong : new String[] {"5", "s", "-1s", "5 s", "1e3ms"}) {
            assertThrows(IllegalArgumentException.class, () -> Times.parse(wrong), wrong);
        }
    }

    @Test
    void shouldReadAndDrawLengths() {
        assertEquals(new Lengths.Constant(64), Lengths.parse("64"));
        assertEquals(new Lengths.Uniform(8, 16), Lengths.parse("uniform:8-16"));
        assertEquals(new Lengths.Normal(128, 32), Lengths.parse("normal:128,32"));
        for (String wrong : new String[] {"0", "x", "uniform:8", "uniform:9-8", "normal:0,1", "normal:5", "poisson:3"}) {
            assertThrows(IllegalArgumentException.class, () -> Lengths.parse(wrong), wrong);
        }
        int[] uniform = IntStream.range(0, 10_000).map(_ -> Lengths.parse("uniform:8-16").next(random)).toArray();
        assertEquals(8, Arrays.stream(uniform).min().orElseThrow());
        assertEquals(16, Arrays.stream(uniform).max().orElseThrow());
        assertEquals(12, Arrays.stream(uniform).average().orElseThrow(), 0.2, "seed=" + SEED);
        int[] normal = IntStream.range(0, 10_000).map(_ -> Lengths.parse("normal:4,8").next(random)).toArray();
        assertEquals(1, Arrays.stream(normal).min().orElseThrow());
    }

    @Test
    void shouldReadCreditSloAndFaults() {
        assertEquals(new CreditPolicy.Greedy(), CreditPolicy.parse("greedy"));
        assertEquals(new CreditPolicy.Paced(20), CreditPolicy.parse("paced:20"));
        assertEquals(new CreditPolicy.StopAndGo(16, Duration.ofMillis(500)), CreditPolicy.parse("stop-and-go:16,500ms"));
        for (String wrong : new String[] {"", "paced:0", "paced:x", "stop-and-go:16", "stop-and-go:0,1s"}) {
            assertThrows(IllegalArgumentException.class, () -> CreditPolicy.parse(wrong), wrong);
        }
        Slo slo = Slo.parse("ttft=500ms,itl=50ms");
        assertEquals("ttft=500ms,itl=50ms", slo.toString());
        assertTrue(slo.met(500, 50, 1e9));
        assertFalse(slo.met(500.1, 50, 0));
        assertFalse(slo.met(0, 50.1, 0));
        assertThrows(IllegalArgumentException.class, () -> Slo.parse("speed=1s"));
        assertEquals(new Faults(0.1, 0.2, 0, 0.3), Faults.parse("vanish=0.1,cancel=0.2,resume=0.3"));
        assertThrows(IllegalArgumentException.class, () -> Faults.parse("vanish=0.6,cancel=0.6"));
        assertThrows(IllegalArgumentException.class, () -> Faults.parse("sleep=0.1"));
        assertEquals(new Faults(0, 0.1, 0, 0, Duration.ofSeconds(10)), Faults.parse("kill-worker=10s,cancel=0.1"));
        assertThrows(IllegalArgumentException.class, () -> Faults.parse("kill-worker=0.1"));
        assertThrows(IllegalArgumentException.class, () -> Faults.parse("kill-worker=99ms"));
    }

    @Test
    void shouldSayWhatItRead() {
        for (String text : new String[] {"64", "uniform:8-16", "normal:128,32.5"}) {
            assertEquals(text, Lengths.parse(text).toString());
        }
        for (String text : new String[] {"greedy", "paced:20", "stop-and-go:16,500ms"}) {
            assertEquals(text, CreditPolicy.parse(text).toString());
        }
        assertEquals("1.5s", Times.text(Duration.ofMillis(1500)));
        assertEquals("0.25ms", Times.text(Times.parse("250us")));
    }

    @Test
    void shouldReadLoadsThatChange() {
        Profile ramp = Profile.parse("ramp:2-10");
        assertEquals(List.of(2.0, 2.0, 6.0, 10.0, 10.0), List.of(ramp.at(-1), ramp.at(0), ramp.at(0.5), ramp.at(1), ramp.at(2)));
        assertEquals(8, ramp.stages());
        Profile steps = Profile.parse("steps:1,2,4,8");
        assertEquals(List.of(1.0, 1.0, 2.0, 4.0, 8.0, 8.0),
                List.of(steps.at(-1), steps.at(0.24), steps.at(0.26), steps.at(0.74), steps.at(0.76), steps.at(9)));
        assertEquals(4, steps.stages());
        assertEquals(8, steps.highest());
        assertEquals(1, Profile.parse("8").stages());
        assertEquals("1 to 8 streams", new Arrivals.Closed(steps).text());
        assertEquals("2.5 req/s", new Arrivals.Open(Profile.parse("2.5"), true).text());
        assertEquals("1 stream", new Arrivals.Closed(Profile.parse("1")).text());
        for (String wrong : new String[] {"", "0", "-1", "x", "NaN", "ramp:1", "ramp:0-5", "steps:", "steps:1,,2", "Infinity"}) {
            assertThrows(IllegalArgumentException.class, () -> Profile.parse(wrong), wrong);
        }
        assertThrows(IllegalArgumentException.class, () -> new Arrivals.Closed(Profile.parse("ramp:0.5-8")));
    }

    @Test
    void shouldComeAtTheRate() {
        Arrivals.Open four = new Arrivals.Open(Profile.constant(4), false);
        assertEquals(1.25, four.after(1, 10, random), 1e-12);
        Arrivals.Open poisson = new Arrivals.Open(Profile.constant(4), true);
        double last = 0;
        for (int i = 0; i < 20_000; i++) {
            last = poisson.after(last, 10, random);
        }
        assertEquals(5000, last, 160, "seed=" + SEED);
        assertEquals(new Arrivals.Closed(Profile.constant(8)), new Arrivals.Closed(Profile.constant(1)).atLevel(8));
    }

    /** Arrivals at even distances of the rate's integral, so their numbers are known: counted in each tenth of the window. */
    @Test
    void shouldComeAtARateThatChanges() {
        double windowS = 100;
        for (String text : new String[] {"ramp:1-21", "ramp:21-1", "steps:2,4,1,8,3", "5"}) {
            Profile profile = Profile.parse(text);
            int[] count = new int[12]; // before, ten tenths, after
            for (double at = profile.after(-windowS / 10, 1, windowS); at < 1.1 * windowS; at = profile.after(at, 1, windowS)) {
                count[(int) Math.floor(at / windowS * 10) + 1]++;
            }
            for (int i = 0; i < 12; i++) {
                double expected = (profile.at((i - 1) / 10.0 + 1e-9) + profile.at(i / 10.0 - 1e-9)) / 2 * windowS / 10;
                assertEquals(expected, count[i], 1.0001, text + ", tenth " + i + ": " + Arrays.toString(count));
            }
        }
    }

    private static Workload.Sizes sizes(int prompt, double shared) {
        return new Workload.Sizes(new Lengths.Constant(prompt), new Lengths.Constant(7), new Lengths.Constant(1),
                new Lengths.Constant(5), shared, 0);
    }

    @Test
    void shouldShareTheBeginningOfPrompts() {
        Workload workload = Workload.tokens(sizes(40, 0.5), 4096, SEED);
        Prompt one = workload.next(random).next();
        Prompt two = workload.next(random).next();
        int[] a = one.tokens();
        int[] b = two.tokens();
        assertTrue(a != null && b != null);
        assertEquals(40, a.length);
        assertEquals(7, one.maxTokens());
        assertArrayEquals(Arrays.copyOf(a, 20), Arrays.copyOf(b, 20));
        assertFalse(Arrays.equals(a, 20, 40, b, 20, 40));
        assertTrue(Arrays.stream(a).allMatch(token -> token >= 300 && token < 4096), Arrays.toString(a));
        String words = Workload.words(sizes(9, 1), SEED).next(random).next().text();
        assertTrue(words != null && words.split(" ").length == 9, words);
        assertEquals(words, Workload.words(sizes(9, 1), SEED).next(random).next().text());
    }

    @Test
    void shouldPutWhatWasGeneratedIntoTheNextPrompt() {
        Workload.Sizes sizes = new Workload.Sizes(new Lengths.Constant(10), new Lengths.Constant(7), new Lengths.Constant(3),
                new Lengths.Constant(4), 0, 50);
        Conversation tokens = Workload.tokens(sizes, 4096, SEED).next(random);
        int[] first = tokens.next().tokens();
        assertTrue(first != null && first.length == 10);
        assertTrue(tokens.hasNext());
        tokens.answered(new int[] {1, 2}, " x", 13);
        int[] second = tokens.next().tokens();
        assertTrue(second != null && second.length == 16);
        assertArrayEquals(first, Arrays.copyOf(second, 10));
        assertArrayEquals(new int[] {1, 2}, Arrays.copyOfRange(second, 10, 12));
        assertEquals(2, tokens.begun());
        tokens.answered(new int[] {3}, "y", 50 - 4 - 7);
        assertTrue(tokens.hasNext(), "it fits exactly");
        tokens.answered(new int[0], "", 50 - 4 - 7 + 1);
        assertFalse(tokens.hasNext(), "it may not fit the context");
        Conversation words = Workload.words(sizes, SEED).next(random);
        String one = words.next().text();
        words.answered(new int[] {5, 6}, " they said", 12);
        String two = words.next().text();
        assertTrue(two != null && two.startsWith(one + " they said\n"), two);
        words.answered(new int[] {7}, ".", 18);
        words.next();
        assertFalse(words.hasNext(), "three turns");
    }

    @Test
    void shouldReadPromptsFromFiles(@TempDir Path directory) throws Exception {
        Path lines = Files.writeString(directory.resolve("a.jsonl"), """
                {"prompt":"one","max_tokens":3}

                {"tokens":[4,5]}
                {"conversations":[{"from":"system","value":"s"},{"from":"human","value":"three"},{"from":"gpt","value":"x"}]}
                """);
        Workload workload = Workload.of(PromptFile.read(lines), sizes(1, 0));
        assertEquals(Prompt.of("one", 3), workload.next(random).next());
        assertArrayEquals(new int[] {4, 5}, workload.next(random).next().tokens());
        Conversation three = workload.next(random);
        assertEquals(Prompt.of("three", 7), three.next());
        assertFalse(three.hasNext(), "one turn was asked for");
        assertEquals(Prompt.of("one", 3), workload.next(random).next());
        Path array = Files.writeString(directory.resolve("b.json"), """
                [{"conversations":[{"from":"user","value":"u"},{"from":"gpt","value":"not this"},{"from":"human","value":"v"}]},
                 {"turns":["a","b","c"],"max_tokens":2}]
                """);
        Workload.Sizes two = new Workload.Sizes(new Lengths.Constant(1), new Lengths.Constant(9), new Lengths.Constant(2),
                new Lengths.Constant(1), 0, 0);
        Workload talks = Workload.of(PromptFile.read(array), two);
        Conversation talk = talks.next(random);
        assertEquals(Prompt.of("u", 9), talk.next());
        talk.answered(new int[] {1}, " yes", 0);
        assertSaid("u yes\nv", 9, List.of("u", " yes", "v"), talk.next());
        Conversation turns = talks.next(random);
        assertEquals(Prompt.of("a", 2), turns.next());
        assertSaid("a\nb", 2, List.of("a", "b"), turns.next());
        assertFalse(turns.hasNext(), "two turns were asked for");
        for (String wrong : new String[] {"", "{", "{\"text\":\"x\"}",
                "{\"conversations\":[{\"from\":\"gpt\",\"value\":\"x\"}]}"}) {
            Path file = Files.writeString(directory.resolve("wrong.jsonl"), wrong);
            assertThrows(IllegalArgumentException.class, () -> PromptFile.read(file), wrong);
        }
    }

    private static void assertSaid(String text, int maxTokens, List<String> messages, Prompt prompt) {
        assertEquals(text, prompt.text());
        assertEquals(maxTokens, prompt.maxTokens());
        assertEquals(messages, prompt.said());
    }
}
