package dev.tidestream.server.cluster.follow;

import java.io.IOException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.server.admin.service.AgreedVersions;
import dev.tidestream.server.admin.service.VersionAgreement;
import dev.tidestream.server.cluster.log.ClusterLog;
import dev.tidestream.server.cluster.log.KeeperConfig;
import dev.tidestream.server.cluster.log.WeightLog;

/** A process and the log of weight versions of its cluster; null stands for a process whose versions are its own. Any thread. */
public final class NodeLog implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeLog.class);

    private final ClusterLog cluster;
    private final NodeFollower follower;

    private NodeLog(ClusterLog cluster, KeeperConfig config) {
        this.cluster = cluster;
        this.follower = new NodeFollower(cluster, config.timing().retry(), () -> { });
    }

    /**
     * Starts it; returns before the log has a leader.
     *
     * @throws IOException if a port or the directory cannot be used
     */
    public static NodeLog start(KeeperConfig config) throws IOException {
        NodeLog started = new NodeLog(ClusterLog.start(config), config);
        log.info("log of weight versions: node={}, keeper={}, keepers={}", config.nodeId(), started.cluster.keeps(), config.peers());
        return started;
    }

    /** How changes of the weights are agreed on. */
    public static VersionAgreement agreement(@Nullable NodeLog node) {
        return node == null ? VersionAgreement.ALONE : node.follower.agreement();
    }

    /** Has a node build what is agreed on. */
    public void follow(AgreedVersions versions) {
        follower.follow(versions);
    }

    /** Whether a node has other weights than the cluster: then it takes no new streams. */
    public static boolean diverged(@Nullable NodeLog node) {
        return node != null && node.follower.diverged();
    }

    /** The version for new streams. */
    public long publishedVersion() {
        return cluster.log().publishedVersion();
    }

    /** The log itself. */
    public WeightLog weights() {
        return cluster.log();
    }

    /** How far this node is. */
    public FollowState state() {
        return follower.state();
    }

    @Override
    public void close() {
        try (cluster) {
            follower.close();
        }
    }
}
