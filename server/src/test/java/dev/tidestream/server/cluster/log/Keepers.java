package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import dev.tidestream.protocol.admin.AdminErrorCode;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Keepers of one log in this JVM, on free ports of loopback; each can be ended and started again. */
public final class Keepers implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(5);
    /** Short, but longer than this JVM stands still. */
    private static final KeeperConfig.Timing TIMING =
            new KeeperConfig.Timing(Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofMillis(50));
    /** Of a node that is to see that nobody answers. */
    static final KeeperConfig.Timing IMPATIENT =
            new KeeperConfig.Timing(Duration.ofMillis(500), Duration.ofSeconds(3), Duration.ofMillis(50));
    private static final String SECRET = "a-secret-of-these-tests";

    private final Path directory;
    private final KeeperConfig.Limits limits;
    private final List<Keeper> peers;
    private final ConcurrentSkipListMap<String, ClusterLog> running = new ConcurrentSkipListMap<>();

    /** @param snapshotEntries after how many entries a snapshot is taken */
    public Keepers(Path directory, int count, int snapshotEntries) throws IOException {
        this.directory = directory;
        limits = new KeeperConfig.Limits(4 << 10, 1 << 20, 16 << 20, 8, 16, snapshotEntries);
        peers = peers("n", count);
    }

    /** Keepers on ports that are free now. */
    static List<Keeper> peers(String prefix, int count) throws IOException {
        List<ServerSocket> taken = new ArrayList<>();
        List<Keeper> peers = new ArrayList<>();
        for (int i = 0; i < 2 * count; i++) {
            taken.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }
        for (int i = 0; i < count; i++) {
            peers.add(new Keeper(prefix + (i + 1), "127.0.0.1", taken.get(2 * i).getLocalPort(), taken.get(2 * i + 1).getLocalPort()));
        }
        for (ServerSocket socket : taken) {
            socket.close();
        }
        return peers;
    }

    public List<Keeper> peers() {
        return peers;
    }

    /** How a node is started that is one of the first keepers, or asks them. */
    public KeeperConfig config(String nodeId, KeeperConfig.Timing timing) {
        return new KeeperConfig(nodeId, Optional.empty(), peers, directory.resolve(nodeId), SECRET, limits, timing);
    }

    public ClusterLog start(String nodeId) throws IOException {
        return add(config(nodeId, TIMING));
    }

    /** One that is to be added. */
    ClusterLog join(Keeper self) throws IOException {
        return add(new KeeperConfig(self.id(), Optional.of(self), peers, directory.resolve(self.id()), SECRET, limits, TIMING));
    }

    ClusterLog add(KeeperConfig config) throws IOException {
        ClusterLog started = ClusterLog.start(config);
        running.put(config.nodeId(), started);
        return started;
    }

    public void startAll() throws IOException {
        for (Keeper peer : peers) {
            start(peer.id());
        }
    }

    public ClusterLog get(String nodeId) {
        ClusterLog found = running.get(nodeId);
        if (found == null) {
            throw new AssertionError("does not run: " + nodeId);
        }
        return found;
    }

    public List<ClusterLog> all() {
        return List.copyOf(running.values());
    }

    public void stop(String nodeId) {
        get(nodeId).close();
        running.remove(nodeId);
    }

    /** Waits until those that run agree on who leads. */
    public String awaitLeader() {
        await("a leader", () -> leader().filter(running::containsKey).isPresent());
        return leader().orElseThrow();
    }

    private Optional<String> leader() {
        List<Optional<String>> known = running.values().stream().filter(ClusterLog::keeps)
                .map(node -> node.log().state().leader()).distinct().toList();
        return known.size() == 1 ? known.getFirst() : Optional.empty();
    }

    /** Some running one that does not lead. */
    public ClusterLog follower() {
        String leader = awaitLeader();
        return running.entrySet().stream().filter(node -> !node.getKey().equals(leader) && node.getValue().keeps())
                .map(Map.Entry::getValue).findFirst().orElseThrow();
    }

    /** Waits until all that run have applied the same. */
    public void awaitEqual(long version) {
        await("version %d everywhere".formatted(version), () -> running.values().stream()
                .allMatch(node -> node.log().committedVersion() == version)
                && running.values().stream().map(node -> node.log().state().digest()).distinct().count() == 1);
    }

    public static void await(String what, BooleanSupplier condition) {
        long startNs = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - startNs < PATIENCE.toNanos(), () -> "waited too long for " + what);
            LockSupport.parkNanos(POLL_NS);
        }
    }

    public static <T> T get(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    static AdminErrorCode refused(CompletionStage<?> stage) {
        ExecutionException failure = assertThrows(ExecutionException.class,
                () -> stage.toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        return assertInstanceOf(LogRefusedException.class, failure.getCause()).code();
    }

    @Override
    public void close() {
        running.values().parallelStream().forEach(ClusterLog::close);
        running.clear();
    }
}
