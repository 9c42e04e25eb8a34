package dev.tidestream.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** {@code tune} pushes what it learns to a real server on the embedded model, under running streams. */
class TuneIT {
    private static final String TEXT = "The engine asks the governor for steam, and the governor answers with a lever of brass. ";
    private static final String GREEDY = ",\"sampling\":{\"temperature\":0,\"logit_bias\":{\"0\":-100}},\"credit\":8";
    private static final int BEFORE = 8; // tokens
    private static final int TOKENS = 40;

    @TempDir
    Path temp;

    @Test
    void shouldChangeAFollowingStreamInMidText() throws Exception {
        Path text = Files.writeString(temp.resolve("text.txt"), TEXT.repeat(40));
        try (StartedServer server = new StartedServer(temp); TestClient client = new TestClient(server.port())) {
            client.generate("following", "Once upon a time", TOKENS, GREEDY + ",\"weights\":\"follow\",\"kv\":\"recompute\"");
            List<ServerMessage.Token> following = tokens(client, BEFORE);
            client.generate("pinned", "Once upon a time", TOKENS, GREEDY);
            List<ServerMessage.Token> pinned = tokens(client, BEFORE);

            Run run = Run.of("tune", "--data", text.toString(), "--out", temp.resolve("tuned").toString(),
                    "--context", "32", "--batch", "2",
                    "--rank", "4", "--targets", "v_proj,down_proj", "--rows", "used",
                    "--learning-rate", "0.02", "--steps", "8", "--every", "4",
                    "--push", "ws://127.0.0.1:" + server.port(), "--token-file", temp.resolve("token").toString());
            assertEquals(0, run.code(), run.err());
            assertTrue(run.out().contains("-> version 2"), run.out());
            assertTrue(run.out().contains("-> version 3"), run.out());
            assertEquals(3, server.running().weightsVersion());

            client.credit("following", TOKENS);
            following.addAll(tokens(client, TOKENS - BEFORE));
            client.credit("pinned", TOKENS);
            pinned.addAll(tokens(client, TOKENS - BEFORE));
            assertEquals(3, following.getLast().weightsVersion(), "two pushes of 13 tensors");
            assertTrue(pinned.stream().allMatch(token -> token.weightsVersion() == 1));
            assertEquals(text(pinned.subList(0, BEFORE)), text(following.subList(0, BEFORE)));
            assertNotEquals(text(pinned), text(following));
            assertTrue(text(following).contains("governor"), text(following));
            assertFalse(text(pinned).contains("governor"), text(pinned));
        }
    }

    private static String text(List<ServerMessage.Token> tokens) {
        StringBuilder text = new StringBuilder();
        tokens.forEach(token -> text.append(token.text()));
        return text.toString();
    }

    private static List<ServerMessage.Token> tokens(TestClient client, int count) throws InterruptedException {
        List<ServerMessage.Token> tokens = new ArrayList<>();
        while (tokens.size() < count) {
            if (client.next() instanceof ServerMessage.Token token) {
                tokens.add(token);
            }
        }
        return tokens;
    }
}
