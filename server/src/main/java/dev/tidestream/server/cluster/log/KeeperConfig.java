package dev.tidestream.server.cluster.log;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a node takes part in the log. It is a keeper if it is one of {@code peers}, or joins them; otherwise it asks them over HTTP.
 *
 * @param nodeId of this node; unique in the cluster
 * @param self where this node is found if it is no member of {@code peers} yet and wants to become one; empty otherwise
 * @param peers the keepers that began the cluster, or some that are members now
 * @param directory where log, snapshots and blobs are kept; made if it is not there
 * @param secret that all nodes of the cluster know; at least {@link #MIN_SECRET} characters
 * @param limits of what is held
 * @param timing how long what may take
 */
public record KeeperConfig(
        String nodeId, Optional<Keeper> self, List<Keeper> peers, Path directory, String secret, Limits limits, Timing timing) {

    /** Characters that a secret has at least. */
    public static final int MIN_SECRET = 16;

    /**
     * What is held for others.
     *
     * @param maxManifestBytes of one entry of the log
     * @param maxBlobBytes of one blob
     * @param maxTotalBytes of all blobs
     * @param maxTransfers blobs that are received at once
     * @param maxPending proposals that wait for an answer at once
     * @param snapshotEntries after how many entries a snapshot is taken, and the log before it is dropped
     */
    public record Limits(
            int maxManifestBytes, long maxBlobBytes, long maxTotalBytes, int maxTransfers, int maxPending, int snapshotEntries) {

        /** 64 KiB, 64 GiB, 64 GiB, 8, 16, 1,000. */
        public static final Limits DEFAULT = new Limits(64 << 10, 64L << 30, 64L << 30, 8, 16, 1_000);

        public Limits {
            long least = Math.min(Math.min(maxManifestBytes, maxBlobBytes), maxTotalBytes);
            if (least < 1 || maxTransfers < 1 || maxPending < 1 || snapshotEntries < 1) {
                throw new IllegalArgumentException("limits must be positive: manifest_bytes=%d, blob_bytes=%d, total_bytes=%d, transfers=%d"
                        .formatted(maxManifestBytes, maxBlobBytes, maxTotalBytes, maxTransfers)
                        + ", pending=%d, snapshot_entries=%d".formatted(maxPending, snapshotEntries));
            }
        }
    }

    /**
     * How long what may take.
     *
     * @param election without a word from the leader, after which another is elected; at least twice what a node stands still for
     * @param proposal until a proposal is answered with {@code no_quorum}
     * @param retry between two attempts at what a follower could not do
     */
    public record Timing(Duration election, Duration proposal, Duration retry) {
        /** 1 s, 30 s, 1 s. */
        public static final Timing DEFAULT = new Timing(Duration.ofSeconds(1), Duration.ofSeconds(30), Duration.ofSeconds(1));

        public Timing {
            if (!election.isPositive() || !proposal.isPositive() || !retry.isPositive()) {
                throw new IllegalArgumentException(
                        "times must be positive: election=%s, proposal=%s, retry=%s".formatted(election, proposal, retry));
            }
        }
    }

    /**
     * Who keeps the log, as a node is told.
     *
     * @param peers the keepers that began the cluster, or some that are members now
     * @param self where this node is found, if it is not among them and wants to become one
     */
    public record Members(List<Keeper> peers, Optional<Keeper> self) {
        public Members {
            peers = List.copyOf(peers);
        }
    }

    public KeeperConfig {
        peers = List.copyOf(peers);
        if (peers.isEmpty()) {
            throw new IllegalArgumentException("no keepers: peers=");
        }
        if (secret.length() < MIN_SECRET) {
            throw new IllegalArgumentException("the secret of a cluster needs at least %d characters: length=%d"
                    .formatted(MIN_SECRET, secret.length()));
        }
        if (self.isPresent() && !self.get().id().equals(nodeId)) {
            throw new IllegalArgumentException("another node: node_id=%s, self=%s".formatted(nodeId, self.get().id()));
        }
    }

    /** With the usual limits and times. */
    public KeeperConfig(String nodeId, List<Keeper> peers, Path directory, String secret) {
        this(nodeId, Optional.empty(), peers, directory, secret, Limits.DEFAULT, Timing.DEFAULT);
    }

    /** Whether it is to be added to the keepers that there are. */
    public boolean join() {
        return self.isPresent() && peers.stream().noneMatch(peer -> peer.id().equals(nodeId));
    }

    /** Where this node is found, if it is a keeper or joins them. */
    public Optional<Keeper> keeper() {
        Optional<Keeper> listed = peers.stream().filter(peer -> peer.id().equals(nodeId)).findFirst();
        return listed.isPresent() ? listed : self;
    }

    @Override
    public String toString() {
        return "KeeperConfig[nodeId=%s, self=%s, peers=%s, directory=%s]".formatted(nodeId, self, peers, directory);
    }
}
