package dev.tidestream.server.cluster;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * How a node takes part in a cluster.
 *
 * @param roles what it does, at least one thing
 * @param nodeId its name, unique in the cluster: 1 to 64 of {@code A-Za-z0-9._-}
 * @param registryHost where it listens for the registry of nodes, and is found by others
 * @param registryPort the same; 0: one that is free
 * @param peers {@code host:port} of registries of nodes that may be there; its own among them does no harm
 * @param url where other nodes find its HTTP port; null: at the address that it listens on
 * @param secret that all nodes of the cluster know, at least {@link #MIN_SECRET} characters
 * @param workerTimeout silence after which a gateway takes a worker for lost
 * @param failoverTimeout longest that a stream waits for another worker
 * @param maxStreams most streams of one gateway on one worker
 * @param maxNodes most nodes that are looked at
 */
public record ClusterConfig(
        Set<NodeRole> roles,
        String nodeId,
        String registryHost,
        int registryPort,
        List<String> peers,
        @Nullable String url,
        String secret,
        Duration workerTimeout,
        Duration failoverTimeout,
        int maxStreams,
        int maxNodes) {
    /** Characters that a secret has at least. */
    public static final int MIN_SECRET = 16;
    /** The port of the registry, if nothing else is said. */
    public static final int DEFAULT_PORT = 5710;
    /** Silence of a worker, if nothing else is said. */
    public static final Duration DEFAULT_WORKER_TIMEOUT = Duration.ofSeconds(5);
    /** Time without a worker, if nothing else is said. */
    public static final Duration DEFAULT_FAILOVER_TIMEOUT = Duration.ofSeconds(30);
    /** Streams of one gateway on one worker, if nothing else is said. */
    public static final int DEFAULT_STREAMS = 4096;
    /** Nodes that are looked at, if nothing else is said. */
    public static final int DEFAULT_NODES = 512;
    private static final int LEAST_TIMEOUT_MS = 100;
    private static final Pattern NODE_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    public ClusterConfig {
        roles = Set.copyOf(roles);
        peers = List.copyOf(peers);
        if (roles.isEmpty()) {
            throw new IllegalArgumentException("a node needs a role: roles=");
        }
        if (!NODE_ID.matcher(nodeId).matches()) {
            throw new IllegalArgumentException("a node's name must be 1 to 64 of A-Za-z0-9._-: node_id=" + nodeId);
        }
        if (secret.length() < MIN_SECRET) {
            throw new IllegalArgumentException("the secret of a cluster needs at least %d characters: length=%d"
                    .formatted(MIN_SECRET, secret.length()));
        }
        if (workerTimeout.toMillis() < LEAST_TIMEOUT_MS || failoverTimeout.isNegative() || maxStreams < 1 || maxNodes < 1) {
            throw new IllegalArgumentException(
                    "worker_timeout must be at least 100 ms, failover_timeout 0, max_streams and max_nodes 1: %s, %s, %d, %d"
                            .formatted(workerTimeout, failoverTimeout, maxStreams, maxNodes));
        }
    }

    /** A node with the usual limits and times. */
    public ClusterConfig(Set<NodeRole> roles, String nodeId, String registryHost, int registryPort, List<String> peers, String secret) {
        this(roles, nodeId, registryHost, registryPort, peers, null, secret, DEFAULT_WORKER_TIMEOUT, DEFAULT_FAILOVER_TIMEOUT,
                DEFAULT_STREAMS, DEFAULT_NODES);
    }

    /** The same with other times. */
    public ClusterConfig withTimeouts(Duration worker, Duration failover) {
        return new ClusterConfig(roles, nodeId, registryHost, registryPort, peers, url, secret, worker, failover, maxStreams, maxNodes);
    }

    /** The same, found by others under this URL. */
    public ClusterConfig withUrl(@Nullable String found) {
        return new ClusterConfig(roles, nodeId, registryHost, registryPort, peers, found, secret, workerTimeout, failoverTimeout, maxStreams,
                maxNodes);
    }

    /** Whether it does that. */
    public boolean is(NodeRole role) {
        return roles.contains(role);
    }

    /** The secret stays out of logs. */
    @Override
    public String toString() {
        return "ClusterConfig[node=%s, roles=%s, registry=%s:%d, peers=%s, worker_timeout_ms=%d, failover_timeout_ms=%d, max_streams=%d, max_nodes=%d]"
                .formatted(nodeId, roles, registryHost, registryPort, peers, workerTimeout.toMillis(), failoverTimeout.toMillis(), maxStreams,
                        maxNodes);
    }
}
