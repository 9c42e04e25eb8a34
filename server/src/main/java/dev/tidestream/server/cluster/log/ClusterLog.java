package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.admin.store.directory.OwnerOnly;
import dev.tidestream.server.cluster.blob.BlobClient;
import dev.tidestream.server.cluster.blob.BlobCopies;
import dev.tidestream.server.cluster.blob.BlobEndpoint;
import dev.tidestream.server.cluster.blob.BlobStore;
import dev.tidestream.server.cluster.peer.ClusterSecret;
import dev.tidestream.server.cluster.peer.PeerClient;
import dev.tidestream.server.cluster.peer.PeerServer;

/**
 * A node's part in the log, whether it is a keeper or asks them: the log, the blobs, and a keeper's port for the others. A keeper fetches
 * what it lacks of all that is committed, so that in the end all of them have all blobs.
 */
public final class ClusterLog implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClusterLog.class);

    private final BlobStore blobs;
    private final PeerClient peers;
    private final BlobClient client;
    private final BlobCopies copies;
    private final KeeperConfig config;
    private final WeightLog weights;
    private @Nullable PeerServer server;
    private WeightLog.@Nullable Following filling;

    private ClusterLog(KeeperConfig config) throws IOException {
        this.config = config;
        var _ = Files.createDirectories(config.directory(), OwnerOnly.directory(config.directory()));
        KeeperConfig.Limits limits = config.limits();
        blobs = BlobStore.open(config.directory().resolve("blobs"),
                new BlobStore.Limits(limits.maxBlobBytes(), limits.maxTotalBytes(), limits.maxTransfers()));
        peers = new PeerClient(new ClusterSecret(config.secret()));
        client = new BlobClient(peers);
        copies = new BlobCopies(blobs, client);
        Optional<Keeper> self = config.keeper();
        weights = self.isPresent() ? KeeperNode.start(config, self.get(), copies) : RemoteWeightLog.start(config, peers, copies);
    }

    /**
     * Starts it; returns before the log has a leader.
     *
     * @throws IOException if the directory or a port cannot be used
     */
    public static ClusterLog start(KeeperConfig config) throws IOException {
        ClusterLog started = new ClusterLog(config);
        boolean listening = false;
        try {
            started.listen();
            listening = true;
            return started;
        } finally {
            if (!listening) {
                started.close();
            }
        }
    }

    private void listen() throws IOException {
        if (weights instanceof KeeperNode node) {
            Keeper self = config.keeper().orElseThrow();
            Map<String, PeerServer.Routes> routes = new HashMap<>(node.routes());
            routes.put(BlobEndpoint.PATH, BlobEndpoint.of(blobs));
            server = PeerServer.start(self.host(), self.httpPort(), new ClusterSecret(config.secret()), routes);
            filling = node.follow(this::fill);
        }
    }

    /** A blob that cannot be had now is fetched when it is needed, or at the next start. */
    private void fill(LogEntry entry) {
        if (entry instanceof LogEntry.Version(long version, Manifest manifest)) {
            for (Manifest.Part part : manifest.parts()) {
                try {
                    var _ = fetch(part);
                } catch (IOException e) {
                    log.warn("a blob of a committed version is not here: weights_version={}, sha256={}, reason={}",
                            version, part.sha256(), Reasons.of(e));
                }
            }
        }
    }

    /** The order of versions. */
    public WeightLog log() {
        return weights;
    }

    /** This node's name. */
    public String nodeId() {
        return config.nodeId();
    }

    /** The blobs of this node. */
    public BlobStore blobs() {
        return blobs;
    }

    KeeperConfig config() {
        return config;
    }

    BlobCopies copies() {
        return copies;
    }

    /** Whether this node is a keeper. */
    public boolean keeps() {
        return weights instanceof KeeperNode;
    }

    /**
     * A blob's file, which is fetched from a keeper if it is not here. Waits.
     *
     * @throws IOException if nobody who answers has it
     */
    public Path fetch(Manifest.Part part) throws IOException {
        Optional<Path> here = blobs.find(part.sha256());
        if (here.isPresent()) {
            return here.get();
        }
        List<URI> others = weights.state().keepers().stream()
                .filter(keeper -> !keeper.id().equals(config.nodeId())).map(Keeper::http).toList();
        client.fetch(others, part.sha256(), part.bytes(), blobs);
        return blobs.find(part.sha256()).orElseThrow(() -> new IOException("a blob has gone: sha256=" + part.sha256()));
    }

    @Override
    public void close() {
        try (peers; copies; weights) {
            if (filling != null) {
                filling.close();
            }
        } finally {
            if (server != null) {
                server.close();
            }
        }
    }
}
