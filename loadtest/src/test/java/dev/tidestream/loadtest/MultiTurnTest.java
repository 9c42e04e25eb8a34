package dev.tidestream.loadtest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.loadtest.figures.Figures;
import dev.tidestream.protocol.ClientMessage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Conversations: what goes over the wire, turn by turn. */
class MultiTurnTest {
    private static final long MS = 1_000_000;
    private static final int ANSWER = 4; // tokens, each with id 5 and text "x"

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    Path directory;

    private Figures run(ScriptedServer server, String... args) throws Exception {
        String[] all = Stream.concat(Stream.of("--output-tokens", String.valueOf(ANSWER)), Stream.of(args))
                .toArray(String[]::new);
        return Runs.good(server, directory, all).steps().getFirst().figures();
    }

    private static ScriptedServer server() {
        return new ScriptedServer((request, _) -> ScriptedServer.stream(request.id(), ANSWER, MS, MS));
    }

    private static List<ClientMessage.Generate> asked(ScriptedServer server) {
        return server.received().stream().filter(m -> m instanceof ClientMessage.Generate).map(m -> (ClientMessage.Generate) m)
                .toList();
    }

    private static int[] tokens(ClientMessage.Generate request) {
        int[] tokens = request.tokens();
        assertTrue(tokens != null, request.toString());
        return tokens;
    }

    @Test
    void shouldSendWhatWasSaidAndGeneratedBefore() throws Exception {
        try (ScriptedServer server = server()) {
            Figures figures = run(server, "--turns", "3", "--prompt-tokens", "6", "--turn-tokens", "2", "--requests", "6",
                    "--shared-prefix", "0.5");
            List<ClientMessage.Generate> asked = asked(server);
            assertEquals(6, asked.size());
            assertEquals(List.of(6, 12, 18, 6, 12, 18), asked.stream().map(request -> tokens(request).length).toList());
            int[] answer = new int[ANSWER];
            Arrays.fill(answer, 5);
            for (int i : new int[] {1, 2, 4, 5}) {
                int[] before = tokens(asked.get(i - 1));
                int[] now = tokens(asked.get(i));
                assertArrayEquals(before, Arrays.copyOf(now, before.length));
                assertArrayEquals(answer, Arrays.copyOfRange(now, before.length, before.length + ANSWER));
            }
            assertArrayEquals(Arrays.copyOf(tokens(asked.get(0)), 3), Arrays.copyOf(tokens(asked.get(3)), 3));
            assertEquals(6, figures.ttft().count());
            assertEquals(4, figures.laterTtft().count());
        }
    }

    @Test
    void shouldFollowTheHumanTurnsOfShareGpt() throws Exception {
        Path file = Files.writeString(directory.resolve("sharegpt.json"), """
                [{"conversations":[{"from":"human","value":"Who?"},{"from":"gpt","value":"not sent"},
                  {"from":"human","value":"Why?"},{"from":"gpt","value":"not sent"},{"from":"human","value":"Third."}]}]
                """);
        try (ScriptedServer server = server()) {
            run(server, "--prompts", file.toString(), "--turns", "2", "--requests", "4");
            assertEquals(List.of("Who?", "Who?xxxx\nWhy?", "Who?", "Who?xxxx\nWhy?"),
                    asked(server).stream().map(ClientMessage.Generate::prompt).toList());
        }
    }

    /** Users of a closed loop keep their places while they think; those of an open one come whether or not others think. */
    @Test
    void shouldThinkBetweenTurns() throws Exception {
        try (ScriptedServer server = server()) { // of two users, one might begin a third conversation before the other goes on
            Figures figures = run(server, "--turns", "2", "--think", "2s", "--concurrency", "1", "--requests", "4");
            assertEquals(4, figures.finished());
            assertEquals(2, figures.laterTtft().count());
            assertTrue(figures.seconds() > 4, "one user, two conversations, a pause in each: " + figures.seconds());
            assertTrue(figures.ttft().max() < 1800, "thinking is no latency: " + figures.ttft());
        }
        try (ScriptedServer server = server()) { // if others waited for those who think, it would not end
            Figures figures = run(server, "--turns", "2", "--think", "10m", "--rate", "20", "--arrivals", "constant",
                    "--requests", "20");
            assertEquals(20, figures.finished());
            assertEquals(0, figures.laterTtft().count());
        }
        Map<String, Long> arrivedNs = new ConcurrentHashMap<>();
        try (ScriptedServer server = new ScriptedServer((request, _) -> {
            arrivedNs.put(request.id(), System.nanoTime());
            return ScriptedServer.stream(request.id(), ANSWER, MS, MS);
        })) {
            Figures figures = run(server, "--turns", "2", "--think", "500ms", "--rate", "20", "--arrivals", "constant",
                    "--requests", "40", "--prompt-tokens", "6", "--turn-tokens", "2");
            List<ClientMessage.Generate> asked = asked(server);
            List<ClientMessage.Generate> later = asked.stream().filter(request -> tokens(request).length > 6).toList();
            assertTrue(!later.isEmpty(), "no second turns within two seconds");
            assertEquals(later.size(), figures.laterTtft().count());
            for (ClientMessage.Generate second : later) {
                String first = asked.stream().filter(request -> tokens(request).length == 6
                        && Arrays.equals(tokens(request), Arrays.copyOf(tokens(second), 6))).findFirst().orElseThrow().id();
                long thoughtNs = arrivedNs.getOrDefault(second.id(), 0L) - server.finishedNs().getOrDefault(first, 0L);
                assertTrue(thoughtNs >= 500 * MS, "thought ns=" + thoughtNs);
            }
        }
    }

    @Test
    void shouldEndAConversationThatMayNotFit() throws Exception {
        try (ScriptedServer server = server()) { // its context is 64 tokens; it counts 3 for any prompt
            run(server, "--turns", "9", "--prompt-tokens", "50", "--turn-tokens", "60", "--requests", "3");
            assertEquals(Collections.nCopies(3, 50), asked(server).stream().map(request -> tokens(request).length).toList());
        }
    }
}
