package dev.tidestream.loadtest.plan;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
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
        assertEquals("ttft=500.000ms,itl=50.0000ms", slo.toString());
        assertTrue(slo.met(500, 50, 1e9));
        assertFalse(slo.met(500.1, 50, 0));
        assertFalse(slo.met(0, 50.1, 0));
        assertThrows(IllegalArgumentException.class, () -> Slo.parse("speed=1s"));
        assertEquals(new Faults(0.1, 0.2, 0), Faults.parse("vanish=0.1,cancel=0.2"));
        assertThrows(IllegalArgumentException.class, () -> Faults.parse("vanish=0.6,cancel=0.6"));
        assertThrows(IllegalArgumentException.class, () -> Faults.parse("sleep=0.1"));
    }

    @Test
    void shouldComeAtTheRate() {
        assertEquals(250e6, new Arrivals.Open(4, false).gapNs(random));
        double mean = IntStream.range(0, 20_000).mapToDouble(_ -> new Arrivals.Open(4, true).gapNs(random)).average()
                .orElseThrow();
        assertEquals(250e6, mean, 8e6, "seed=" + SEED);
        assertEquals(new Arrivals.Closed(8), new Arrivals.Closed(1).atLevel(8));
    }

    @Test
    void shouldShareTheBeginningOfPrompts() {
        Workload workload = Workload.tokens(new Lengths.Constant(40), new Lengths.Constant(7), 4096, 0.5, SEED);
        Prompt one = workload.next(random);
        Prompt two = workload.next(random);
        int[] a = one.tokens();
        int[] b = two.tokens();
        assertTrue(a != null && b != null);
        assertEquals(40, a.length);
        assertEquals(7, one.maxTokens());
        assertArrayEquals(Arrays.copyOf(a, 20), Arrays.copyOf(b, 20));
        assertFalse(Arrays.equals(a, 20, 40, b, 20, 40));
        assertTrue(Arrays.stream(a).allMatch(token -> token >= 300 && token < 4096), Arrays.toString(a));
        String words = Workload.words(new Lengths.Constant(9), new Lengths.Constant(7), 1, SEED).next(random).text();
        assertTrue(words != null && words.split(" ").length == 9, words);
    }

    @Test
    void shouldReadPromptsFromFiles(@TempDir Path directory) throws Exception {
        Path lines = Files.writeString(directory.resolve("a.jsonl"), """
                {"prompt":"one","max_tokens":3}

                {"tokens":[4,5]}
                {"conversations":[{"from":"system","value":"s"},{"from":"human","value":"three"},{"from":"gpt","value":"x"}]}
                """);
        Workload workload = Workload.file(lines, new Lengths.Constant(9));
        assertEquals(Prompt.of("one", 3), workload.next(random));
        assertArrayEquals(new int[] {4, 5}, workload.next(random).tokens());
        assertEquals(Prompt.of("three", 9), workload.next(random));
        assertEquals(Prompt.of("one", 3), workload.next(random));
        Path array = Files.writeString(directory.resolve("b.json"),
                "[{\"conversations\":[{\"from\":\"user\",\"value\":\"u\"}]}]");
        assertEquals(Prompt.of("u", 9), Workload.file(array, new Lengths.Constant(9)).next(random));
        for (String wrong : new String[] {"", "{", "{\"text\":\"x\"}",
                "{\"conversations\":[{\"from\":\"gpt\",\"value\":\"x\"}]}"}) {
            Path file = Files.writeString(directory.resolve("wrong.jsonl"), wrong);
            assertThrows(IllegalArgumentException.class, () -> Workload.file(file, new Lengths.Constant(9)), wrong);
        }
    }
}
