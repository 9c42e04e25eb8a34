package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

import org.apache.ratis.client.RaftClient;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.exceptions.ReconfigurationInProgressException;
import org.apache.ratis.retry.RetryPolicies;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.cluster.blob.BlobCopies;
import dev.tidestream.server.cluster.peer.PeerServer;

/** A voting member of the log: a server of Ratis, and the client through which this node itself proposes. */
final class KeeperNode implements WeightLog, LogEndpoint.Node {
    private static final Logger log = LoggerFactory.getLogger(KeeperNode.class);

    private final KeeperConfig config;
    private final WeightStateMachine machine;
    private final RaftServer server;
    private final RaftClient client;
    private final Followers followers;
    private final Proposals proposals;
    private final ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("tidestream-log-", 0).factory());
    private final LogWaiters waiters;

    private KeeperNode(KeeperConfig config, Keeper self, BlobCopies copies) throws IOException {
        this.config = config;
        waiters = new LogWaiters();
        machine = new WeightStateMachine(this::changed);
        followers = new Followers(new Followers.Source() {
            @Override
            public List<Manifest> after(long version, int atMost) {
                return machine.after(version, atMost);
            }

            @Override
            public long published() {
                return machine.view().published();
            }
        });
        proposals = new Proposals(config, copies, () -> state().keepers(), this::submit);
        RaftProperties properties = RaftSettings.of(config, self);
        server = RaftServer.newBuilder()
                .setServerId(RaftPeerId.valueOf(config.nodeId()))
                .setStateMachine(machine)
                .setGroup(RaftSettings.group(config.join() ? List.of() : config.peers()))
                .setProperties(properties)
                .setOption(RaftStorage.StartupOption.RECOVER)
                .build();
        long attempts = Math.max(1, config.timing().proposal().toMillis() / config.timing().election().toMillis());
        client = RaftClient.newBuilder()
                .setRaftGroup(RaftSettings.group(config.peers()))
                .setProperties(properties)
                .setRetryPolicy(RetryPolicies.retryUpToMaximumCountWithFixedSleep(
                        (int) Math.min(Integer.MAX_VALUE, 2 * attempts), RaftSettings.time(config.timing().election().dividedBy(2))))
                .build();
    }

    /**
     * Starts it; returns before there is a leader.
     *
     * @param copies of this node's blobs to others
     */
    static KeeperNode start(KeeperConfig config, Keeper self, BlobCopies copies) throws IOException {
        KeeperNode node = new KeeperNode(config, self, copies);
        boolean started = false;
        try {
            node.server.start();
            started = true;
            return node;
        } finally {
            if (!started) {
                node.close();
            }
        }
    }

    private void changed() {
        followers.changed();
        waiters.wake();
    }

    @Override
    public LogWaiters waiters() {
        return waiters;
    }

    @Override
    public CompletableFuture<byte[]> submit(byte[] command) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return answer(client.io().send(Message.valueOf(UnsafeByteOperations.unsafeWrap(command))));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }, threads);
    }

    private static byte[] answer(RaftClientReply reply) throws IOException {
        if (!reply.isSuccess()) {
            throw reply.getException() == null ? new IOException("the log has refused it: " + reply) : reply.getException();
        }
        return reply.getMessage().getContent().toByteArray();
    }

    @Override
    public CompletionStage<Committed> propose(Manifest manifest) {
        return proposals.propose(manifest);
    }

    @Override
    public CompletionStage<Long> publish(long version) {
        return proposals.publish(version);
    }

    @Override
    public long committedVersion() {
        return machine.view().current();
    }

    @Override
    public long publishedVersion() {
        return machine.view().published();
    }

    @Override
    public List<Manifest> after(long version, int atMost) {
        return machine.after(version, atMost);
    }

    @Override
    public Following follow(long afterVersion, Consumer<LogEntry> follower) {
        return followers.follow(afterVersion, follower);
    }

    @Override
    public CompletionStage<LogState> addKeeper(Keeper keeper) {
        return change("adding keeper " + keeper.id(), SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(List.of(RaftSettings.peer(keeper))).setMode(SetConfigurationRequest.Mode.ADD).build());
    }

    @Override
    public CompletionStage<LogState> removeKeeper(String nodeId) {
        List<Keeper> now = state().keepers();
        List<Keeper> left = now.stream().filter(keeper -> !keeper.id().equals(nodeId)).toList();
        if (left.size() == now.size() || left.isEmpty()) {
            return CompletableFuture.failedFuture(new LogRefusedException(AdminErrorCode.INVALID_VALUE,
                    "not a keeper that can be taken out: id=%s, keepers=%s".formatted(nodeId, now)));
        }
        return change("removing keeper " + nodeId, SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(left.stream().map(RaftSettings::peer).toList())
                .setServersInCurrentConf(now.stream().map(RaftSettings::peer).toList())
                .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET).build());
    }

    private CompletionStage<LogState> change(String what, SetConfigurationRequest.Arguments members) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                setMembers(members);
                log.info("members of the log have changed: {}", what);
                return state();
            } catch (IOException e) {
                throw new LogRefusedException(AdminErrorCode.NO_QUORUM, what + ": " + Reasons.of(e), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LogRefusedException(AdminErrorCode.SHUTTING_DOWN, what + ": interrupted", e);
            }
        }, threads);
    }

    /** The end of another change is waited for. */
    private void setMembers(SetConfigurationRequest.Arguments members) throws IOException, InterruptedException {
        long startNs = System.nanoTime();
        while (true) {
            @Nullable IOException failure;
            try {
                RaftClientReply reply = client.admin().setConfiguration(members);
                failure = reply.isSuccess() ? null : reply.getException();
            } catch (ReconfigurationInProgressException e) {
                failure = e;
            }
            if (failure == null) {
                return;
            }
            if (!(failure instanceof ReconfigurationInProgressException)
                    || System.nanoTime() - startNs > config.timing().proposal().toNanos()) {
                throw failure;
            }
            Thread.sleep(config.timing().retry());
        }
    }

    @Override
    public LogState state() {
        WeightStateMachine.View view = machine.view();
        try {
            RaftServer.Division division = server.getDivision(RaftSettings.group());
            List<Keeper> members = division.getRaftConf().getCurrentPeers().stream().map(RaftSettings::keeper).sorted(
                    Comparator.comparing(Keeper::id)).toList();
            Optional<String> leader = Optional.ofNullable(division.getInfo().getLeaderId()).map(RaftPeerId::toString);
            return new LogState(config.nodeId(), leader, division.getInfo().getCurrentTerm(), members, view.lastIndex(), view.current(),
                    view.published(), view.digest());
        } catch (IOException e) {
            throw new UncheckedIOException("the log does not say its state", e);
        }
    }

    @Override
    public void close() {
        followers.close();
        waiters.wake();
        try (client; server) {
            var _ = threads.shutdownNow();
        } catch (IOException e) {
            log.warn("the log could not be closed", e);
        }
    }

    /** What other nodes ask for. */
    Map<String, PeerServer.Routes> routes() {
        return Map.of(LogEndpoint.PATH, LogEndpoint.of(this, config.limits()));
    }
}
