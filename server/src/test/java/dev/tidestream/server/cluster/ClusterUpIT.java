package dev.tidestream.server.cluster;

import java.io.BufferedReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.protocol.ServerMessage;
import dev.tidestream.server.transport.TestClient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * {@code cluster up}, and nodes of it that are killed with {@code kill -9} while they compute. Each round kills a node; there are as many as
 * the property {@code tidestream.cluster.rounds} says, 2 by default.
 */
class ClusterUpIT {
    private static final int ROUNDS = Integer.getInteger("tidestream.cluster.rounds", 2);
    private static final int NODES = 3; // of which all but one can be killed
    private static final int STREAMS = 6;
    private static final int TOKENS = 80;
    private static final Pattern NODE = Pattern.compile("node (\\S+): http://127\\.0\\.0\\.1:(\\d+) \\(pid (\\d+)\\)");

    @TempDir(cleanup = CleanupMode.ON_SUCCESS) // the logs of nodes
    @SuppressWarnings("NullAway.Init") // by JUnit
    private Path temp;

    private record Node(String name, int port, ProcessHandle process) {}

    private Process up(Path directory) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> option.startsWith("--add-modules") || option.startsWith("--enable-native") || option.startsWith("--sun-misc"))
                .forEach(command::add);
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"), "dev.tidestream.server.cli.Main",
                "cluster", "up", "--nodes", "" + NODES, "--directory", directory.toString()));
        return new ProcessBuilder(command).redirectError(directory.resolveSibling(directory.getFileName() + ".err").toFile()).start();
    }

    private static List<Node> nodes(BufferedReader lines) throws Exception {
        List<Node> nodes = new ArrayList<>();
        String line;
        while ((line = lines.readLine()) != null && !line.contains("nodes are ready")) {
            Matcher node = NODE.matcher(line);
            if (node.matches()) {
                nodes.add(new Node(node.group(1), Integer.parseInt(node.group(2)),
                        ProcessHandle.of(Long.parseLong(node.group(3))).orElseThrow()));
            }
        }
        assertEquals(NODES, nodes.size(), "nodes: " + nodes);
        return nodes;
    }

    /** Streams that take what they are given credit for, and wait where they are. */
    private static void begin(TestClient client, String credit) {
        for (int i = 0; i < STREAMS; i++) {
            client.generate("s" + i, "Once upon a time", TOKENS,
                    ",\"sampling\":{\"seed\":%d,\"temperature\":0.9}%s".formatted(i, credit)); // seeds of streams that do not end by themselves so soon
        }
    }

    private static List<List<ServerMessage.Token>> tokens(TestClient client, List<ServerMessage> before) throws InterruptedException {
        List<ServerMessage> all = new ArrayList<>(before);
        int[] left = {STREAMS};
        all.addAll(client.until(m -> {
            assertFalse(m instanceof ServerMessage.Failed, m.toString());
            return m instanceof ServerMessage.Finished && --left[0] == 0;
        }));
        List<List<ServerMessage.Token>> streams = new ArrayList<>();
        for (int i = 0; i < STREAMS; i++) {
            String id = "s" + i;
            List<ServerMessage.Token> stream = all.stream().filter(m -> m instanceof ServerMessage.Token t && t.id().equals(id))
                    .map(ServerMessage.Token.class::cast).toList();
            assertEquals(TOKENS, stream.size(), id);
            streams.add(stream);
        }
        return streams;
    }

    @Test
    void shouldLoseNoTokenWithANode() throws Exception {
        for (int round = 0; round < ROUNDS; ) {
            Process up = up(temp.resolve("cluster-" + round));
            try (BufferedReader lines = up.inputReader(StandardCharsets.UTF_8)) {
                List<Node> nodes = nodes(lines);
                for (int node = 1; node < NODES && round < ROUNDS; node++, round++) {
                    kill(nodes.getFirst(), nodes.get(node));
                }
            } finally {
                List<ProcessHandle> children = up.descendants().toList();
                up.destroy();
                assertTrue(up.waitFor(60, TimeUnit.SECONDS), "it does not end");
                assertTrue(children.stream().noneMatch(ProcessHandle::isAlive), "nodes outlive it");
            }
        }
    }

    private static void kill(Node gateway, Node victim) throws Exception {
        List<List<ServerMessage.Token>> disturbed;
        try (TestClient client = new TestClient(gateway.port())) {
            begin(client, ",\"credit\":20");
            List<ServerMessage> first = new ArrayList<>();
            int[] got = {0};
            first.addAll(client.until(m -> {
                assertFalse(m instanceof ServerMessage.Failed, m.toString());
                return m instanceof ServerMessage.Token && ++got[0] == 20 * STREAMS;
            }));
            assertTrue(victim.process().destroyForcibly());
            for (int i = 0; i < STREAMS; i++) {
                client.credit("s" + i, TOKENS);
            }
            disturbed = tokens(client, first);
        }
        try (TestClient client = new TestClient(gateway.port())) {
            begin(client, "");
            assertEquals(Objects.requireNonNull(tokens(client, List.of())), disturbed);
        }
    }
}
