package dev.tidestream.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Requests of which four fifths of the prompt are the same, at a real server: what is computed falls, what is said does not change. */
class PrefixReuseIT {
    private static final int REQUESTS = 16;
    private static final int PROMPT = 480;
    private static final int COMMON = 384; // twelve blocks
    private static final int TOKENS = 8;

    @TempDir
    Path temp;

    /** What a client and the server say of all requests. */
    private record Outcome(List<List<ServerMessage.Token>> said, List<Integer> cached, long rows) {}

    private static String request(int i) {
        List<Integer> tokens = new ArrayList<>(IntStream.range(0, COMMON).map(t -> 300 + t * 7 % 1000).boxed().toList());
        SplittableRandom random = new SplittableRandom(i);
        while (tokens.size() < PROMPT) {
            tokens.add(300 + random.nextInt(2000));
        }
        return ("{\"type\":\"generate\",\"id\":\"r%d\",\"tokens\":%s,\"max_tokens\":%d,\"logprobs\":2,"
                + "\"sampling\":{\"temperature\":1,\"seed\":%d,\"logit_bias\":{\"1\":-100,\"2\":-100}}}").formatted(i, tokens, TOKENS, i);
    }

    private Outcome run(String name, boolean together, String prefixCache) throws Exception {
        try (StartedServer server = server(name, prefixCache); TestClient client = new TestClient(server.port())) {
            client.send(request(1000)); // a stream of something else, so that everything is compiled
            client.untilFinished("r1000");
            EngineStats before = awaitIdle(server);
            List<List<ServerMessage.Token>> said = new ArrayList<>();
            List<Integer> cached = new ArrayList<>(Collections.nCopies(REQUESTS, 0));
            for (int i = 0; i < REQUESTS; i++) {
                said.add(new ArrayList<>());
            }
            int done = 0;
            for (int i = 0; i < REQUESTS; i++) {
                client.send(request(i));
                while (done < (together ? i == REQUESTS - 1 ? REQUESTS : 0 : i + 1)) {
                    switch (client.next()) {
                        case ServerMessage.Token token -> said.get(number(token.id())).add(anonymous(token));
                        case ServerMessage.Finished finished -> {
                            cached.set(number(finished.id()), finished.usage().cachedTokens());
                            done++;
                        }
                        case ServerMessage.Failed failed -> throw new AssertionError(failed.toString());
                        default -> { }
                    }
                }
            }
            return new Outcome(said, cached, awaitIdle(server).since(before).rows());
        }
    }

    private StartedServer server(String name, String prefixCache) throws IOException {
        Path directory = temp.resolve(name);
        return new StartedServer(Files.createDirectories(directory), "--prefix-cache", prefixCache);
    }

    private static EngineStats awaitIdle(StartedServer server) {
        EngineStats stats = server.running().engine().stats();
        while (stats.running() + stats.queued() > 0) {
            Thread.onSpinWait();
            stats = server.running().engine().stats();
        }
        return stats;
    }

    private static int number(String id) {
        return Integer.parseInt(id.substring(1));
    }

    private static ServerMessage.Token anonymous(ServerMessage.Token t) {
        return new ServerMessage.Token("r", t.seq(), t.token(), t.text(), t.weightsVersion(), t.logprob(), t.topLogprobs());
    }

    @Test
    void shouldComputeAFifthOfEachPromptAndSayTheSame() throws Exception {
        Outcome without = run("without", false, "off");
        Outcome with = run("with", false, "0.5");
        Outcome together = run("together", true, "0.5");
        assertEquals(without.said(), with.said());
        assertEquals(without.said(), together.said());
        assertEquals(Collections.nCopies(REQUESTS, 0), without.cached());
        assertEquals(Collections.nCopies(REQUESTS, COMMON), with.cached(), "the stream before has begun the same");
        assertEquals((long) REQUESTS * (PROMPT + TOKENS - 1), without.rows());
        assertEquals(without.rows() - (long) REQUESTS * COMMON, with.rows());
        assertEquals(with.rows(), together.rows());
    }
}
