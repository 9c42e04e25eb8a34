package dev.tidestream.server.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Reasons;
import dev.tidestream.model.quantisation.WeightFormats;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.service.VersionAgreement;
import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.ModelIdentity;
import dev.tidestream.server.cluster.NodeRole;
import dev.tidestream.server.cluster.follow.NodeLog;
import dev.tidestream.server.cluster.gateway.RelayCounters;
import dev.tidestream.server.cluster.gateway.TokenizedBlocks;
import dev.tidestream.server.cluster.log.KeeperConfig;
import dev.tidestream.server.cluster.node.ClusterJoinException;
import dev.tidestream.server.cluster.node.ClusterNode;
import dev.tidestream.server.cluster.node.KeptVersions;
import dev.tidestream.server.cluster.node.LocalState;
import dev.tidestream.server.cluster.registry.NodeState;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.Engine;
import dev.tidestream.server.engine.EngineStats;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.metrics.ClusterMetrics;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;

/** Brings what a cluster needs to know of this process to its node, which knows none of it. */
final class ClusterWiring {
    /** A request may grow on its way between nodes: each character of a prompt may be an escape. */
    private static final int MOST_GROWTH = 6;
    private static final int REST_BYTES = 1 << 20; // of a request beside its prompt
    private static final String LOG_DIRECTORY = "cluster"; // in the data directory
    private static final int MAX_MESSAGE_BYTES = 256 << 20;

    private ClusterWiring() {}

    /**
     * The log of weight versions, if the server is a node with keepers; returns before the log has a leader.
     *
     * @throws ServerException if the configuration is of no use, or a port or the directory cannot be used
     */
    static @Nullable NodeLog log(ServerConfig config) {
        KeeperConfig.Members members = config.updates().keepers();
        if (members == null) {
            return null;
        }
        try {
            return NodeLog.start(keeper(config, members));
        } catch (IOException e) {
            throw new ServerException(ServerException.Reason.CLUSTER, "the log of weight versions cannot be used: " + Reasons.of(e), e);
        }
    }

    /** With whom changes of the weights are agreed on: in a cluster with its keepers, or with nobody, and then there are none. */
    static VersionAgreement agreement(ServerConfig config, @Nullable NodeLog log) {
        return config.cluster() == null || log != null ? NodeLog.agreement(log) : (version, payload, resultSha256) -> {
            throw new AdminException(AdminErrorCode.NO_QUORUM,
                    "a node changes its weights with its cluster or not at all, and this cluster has no keepers (--keepers)");
        };
    }

    private static KeeperConfig keeper(ServerConfig config, KeeperConfig.Members members) {
        ClusterConfig node = config.cluster();
        Path dataDir = config.updates().dataDir();
        if (node == null || dataDir == null) {
            throw new ServerException(ServerException.Reason.CLUSTER, "a node that follows keepers has a name, and keeps versions: --keepers needs "
                    + (node == null ? "--node-id" : "--data-dir"));
        }
        KeeperConfig.Limits usual = KeeperConfig.Limits.DEFAULT;
        long most = config.updates().kept().maxTotalBytes();
        KeeperConfig keeper = new KeeperConfig(node.nodeId(), members.self(), members.peers(), dataDir.resolve(LOG_DIRECTORY), node.secret(),
                new KeeperConfig.Limits(
                        usual.maxManifestBytes(), most, most, usual.maxTransfers(), usual.maxPending(), usual.snapshotEntries()),
                KeeperConfig.Timing.DEFAULT);
        if (keeper.keeper().isPresent() && !node.is(NodeRole.KEEPER)) {
            throw new ServerException(ServerException.Reason.CLUSTER,
                    "the node is one of --keepers, and --roles has no keeper: node_id=" + node.nodeId());
        }
        return keeper;
    }

    /**
     * Joins with the model of this process.
     *
     * @param log of weight versions that the cluster has agreed on; null: this server's own count
     * @return null for a server by itself
     * @throws ServerException if it may not, or cannot
     */
    static @Nullable ClusterNode join(ServerConfig config, ModelRuntime running, @Nullable NodeLog log) {
        ClusterConfig cluster = config.cluster();
        return cluster == null ? null
                : join(config, cluster, Served.of(running, running.engine()), running.engine(), OfEngine.of(config, running, log), log);
    }

    /** Joins with what is served. */
    static ClusterNode join(ServerConfig config, ClusterConfig cluster, Served served, @Nullable Engine local, LocalState state,
            @Nullable NodeLog log) {
        List<String> hashes = served.contentSha256();
        ModelIdentity identity =
                new ModelIdentity(hashes.getFirst(), hashes.getLast(), precision(served.precision(), config.compute().formats()));
        TokenizedBlocks blocks = new TokenizedBlocks(served.tokenizer(), ChatPrompts.of(served.chat()), identity.text());
        try {
            return ClusterNode.join(cluster,
                    new ClusterNode.Parts(identity, local, state, blocks, maxMessageBytes(config.transport()), ProgramVersion.ours(), log));
        } catch (ClusterJoinException e) {
            throw new ServerException(ServerException.Reason.CLUSTER, String.valueOf(e.getMessage()), e);
        }
    }

    private static String precision(Precision p, WeightFormats formats) {
        return "%s/%s/%s%s".formatted(p.body().wireName(), p.head().wireName(), p.kvType().name().toLowerCase(Locale.ROOT),
                formats.asTheyAre() ? "" : " " + formats.words());
    }

    private static int maxMessageBytes(TransportConfig transport) {
        long largest = Math.max(transport.maxMessageBytes(), transport.http().maxBodyBytes());
        return (int) Math.min(MAX_MESSAGE_BYTES, MOST_GROWTH * largest + REST_BYTES);
    }

    /** Has a server serve what other nodes and administrators ask of the node, and show its figures. */
    static void serve(ClusterNode node, ServerVerticle verticle, MetricsWiring metrics) {
        serve(node, verticle);
        metrics.observe(metrics(node));
    }

    /** Has a server serve what other nodes and administrators ask of the node. */
    static void serve(ClusterNode node, ServerVerticle verticle) {
        node.wire().ifPresent(wire -> verticle.serving(wire));
        verticle.serving(node.endpoints());
    }

    /** What the node's page of metrics shows of the cluster. */
    static ClusterMetrics metrics(ClusterNode node) {
        return new ClusterMetrics(() -> {
            RelayCounters c = node.counters();
            Set<String> reachable = new HashSet<>(node.reachableWorkers());
            return new ClusterMetrics.Sample(c.running(), c.tokens(), c.failovers(), c.moved(), c.givenUp(), c.pausedNanos() / 1e9,
                    node.states().stream().map(s -> new ClusterMetrics.Node(s.node(), reachable.contains(s.node()), s.load().running(),
                            s.load().waiting(), s.load().kvUse(), s.weights().applied())).toList());
        });
    }

    /** What the engine of this process says of itself. */
    private record OfEngine(ServerConfig config, ModelRuntime running, KeptVersions kept, @Nullable NodeLog log) implements LocalState {
        /** Of the live versions one is current and one is to come; the others may be kept. */
        static OfEngine of(ServerConfig config, ModelRuntime running, @Nullable NodeLog log) {
            int most = Math.max(0, config.updates().live().maxLive() - 2);
            return new OfEngine(config, running, new KeptVersions(running.epochs(), most, System::nanoTime), log);
        }

        @Override
        public NodeState.Load load() {
            EngineStats stats = running.stats();
            double kvUse = stats.kvBudgetBytes() == 0 ? 0 : Math.clamp((double) stats.kvUsedBytes() / stats.kvBudgetBytes(), 0, 1);
            return new NodeState.Load(config.engine().maxSequences(), stats.running(), stats.queued() + stats.promptsInIntake(), kvUse, 0);
        }

        @Override
        public NodeState.Weights weights() {
            List<EpochStatus> live = running.epochs().live();
            long newest = running.weightsVersion();
            return new NodeState.Weights(newest, log == null ? newest : log.publishedVersion(),
                    live.stream().map(EpochStatus::weightsVersion).collect(Collectors.toSet()), kept.pinnedHere());
        }

        @Override
        public void needed(Set<Long> versions) {
            kept.need(versions);
        }

        @Override
        public void close() {
            kept.close();
        }

        @Override
        public Set<String> adapters() {
            return running.adapters().all().stream().map(adapter -> adapter.name()).collect(Collectors.toSet());
        }

        @Override
        public boolean sound() {
            return !running.engine().failed() && !NodeLog.diverged(log);
        }
    }
}
