package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.protocol.FinishReason;
import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.store.UpdateLogLimits;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.transport.AdminFaults;
import dev.tidestream.server.transport.NettyLeakCheck;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Administrators that send nonsense to a whole server, with a desk, a data directory and a stream that are real. */
@ExtendWith(NettyLeakCheck.class)
class AdminFaultsServerIT {
    private static final int FAULTS = Integer.getInteger("tidestream.faults", 5_000);
    private static final int TOKENS = 400;

    @TempDir
    Path temp;

    @Test
    void shouldLeaveNothingBehindOfFiveThousandFaults() throws Exception {
        long seed = Long.getLong("tidestream.seed", 20261123L);
        System.out.println("AdminFaultsServerIT: -Dtidestream.seed=" + seed);
        try (StartedServer server = new StartedServer(temp, "--admin-token-burst", "1000000");
                TestClient client = new TestClient(server.port())) {
            Map<String, String> files = files(server.dataDir);
            assertTrue(files.containsKey("manifest.json"), files.toString());
            float[] weights = weights(server.running());
            long bytes = server.running().first().familyBytes();
            generate(client, "before", "");
            List<Integer> tokens = tokens(client, "before");
            try (AdminFaults faults = new AdminFaults(server.port(), StartedServer.TOKEN, seed,
                    update -> false, // none of them has the shape of a tensor
                    request -> request instanceof AdminRequest.OptimizationSet || request instanceof AdminRequest.OpenUpdate,
                    () -> names(server.dataDir).equals(files.keySet()))) {
                assertEquals(tokens, tokensBeside(faults, client), "the stream beside the faults");
                assertEquals(files, files(server.dataDir));
                assertArrayEquals(weights, weights(server.running()));
                checkEpochs(server.running(), bytes);
                generate(client, "after", "");
                assertEquals(tokens, tokens(client, "after"), "a stream after the faults");
                faults.fillPlaces(UpdateLogLimits.DEFAULT.maxSpools());
                assertEquals(2, server.running().weightsVersion(), "a valid update passes");
                assertEquals(files.size() + 1, names(server.dataDir).size(), "its payload is kept, and no other");
            }
        }
    }

    private static List<Integer> tokensBeside(AdminFaults faults, TestClient client) throws InterruptedException {
        generate(client, "beside", ",\"credit\":1");
        faults.run(FAULTS, fault -> credit(client, fault));
        System.out.println("AdminFaultsServerIT: " + faults);
        assertEquals(0, faults.applied(), "an update was applied");
        assertTrue(faults.codes() >= 13 && faults.refused() > FAULTS / 10 * 7, faults.toString());
        return tokens(client.credit("beside", TOKENS), "beside");
    }

    private static void checkEpochs(ModelRuntime running, long bytes) {
        List<EpochStatus> live = running.epochs().live();
        assertEquals(1, live.size(), live.toString());
        assertEquals(1, live.getFirst().weightsVersion());
        assertEquals(bytes, live.getFirst().bytes());
        assertEquals(bytes, running.first().familyBytes(), "memory of all epochs");
    }

    /** Keeps the stream going from the first fault to the last. */
    private static void credit(TestClient client, int fault) {
        if (fault % Math.max(1, FAULTS / TOKENS) == 0) {
            client.credit("beside", 1);
        }
    }

    private static void generate(TestClient client, String id, String more) {
        client.generate(id, "Once upon a time", TOKENS,
                ",\"sampling\":{\"temperature\":0.9,\"top_k\":40,\"seed\":\"7\",\"logit_bias\":{\"0\":-100}}" + more);
    }

    /** All tokens of the stream, which come in order, each once, of version 1. */
    private static List<Integer> tokens(TestClient client, String id) throws InterruptedException {
        List<Integer> tokens = new ArrayList<>();
        List<ServerMessage> messages = client.untilFinished(id);
        for (ServerMessage message : messages) {
            if (message instanceof ServerMessage.Token token) {
                assertEquals(id, token.id());
                assertEquals(tokens.size(), token.seq());
                assertEquals(1, token.weightsVersion());
                tokens.add(token.token());
            }
        }
        assertEquals(FinishReason.LENGTH, ((ServerMessage.Finished) messages.getLast()).reason());
        assertEquals(TOKENS, tokens.size());
        return tokens;
    }

    private static float[] weights(ModelRuntime running) {
        EmbeddingLayer embedding = running.first().weights().embedding();
        float[] weights = new float[embedding.vocabularySize() * embedding.hiddenSize()];
        for (int row = 0; row < embedding.vocabularySize(); row++) {
            embedding.lookup(row, weights, row * embedding.hiddenSize());
        }
        return weights;
    }

    private static Set<String> names(Path directory) {
        try (Stream<Path> paths = Files.list(directory)) {
            return paths.map(path -> path.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is in the directory: names and contents. */
    private static Map<String, String> files(Path directory) throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (String name : names(directory)) {
            Path file = directory.resolve(name);
            files.put(name, Files.isDirectory(file) ? String.join("/", names(file)) : Files.readString(file, StandardCharsets.ISO_8859_1));
        }
        return files;
    }
}
