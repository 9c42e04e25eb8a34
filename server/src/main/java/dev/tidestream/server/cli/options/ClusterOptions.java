package dev.tidestream.server.cli.options;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.NodeRole;

/** Options of {@code serve} for a node of a cluster; without any of them a server is by itself. */
public final class ClusterOptions {
    private static final int MAX_PORT = 65_535;
    private static final int MAX_SECONDS = 3600;
    private static final int MAX_STREAMS = 1_000_000;
    private static final int MAX_NODES = 10_000;
    private static final int SHOWN_CHARS = 60;
    private static final Pattern PEER = Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:\\[\\]]+):\\d{1,5}");

    @Option(names = "--cluster-host", paramLabel = "HOST", defaultValue = "127.0.0.1",
            description = "Address for the registry of nodes, which other nodes reach and nobody else should (default: ${DEFAULT-VALUE}).")
    String host = "127.0.0.1";

    @Option(names = "--cluster-url", paramLabel = "URL",
            description = "Where other nodes find this one's HTTP port, e.g. http://10.0.0.7:8080 (default: where it listens).")
    @Nullable String url;

    @Option(names = "--cluster-secret-file", paramLabel = "FILE",
            description = "A file with the secret that all nodes of the cluster share, at least 16 characters.")
    @Nullable Path secretFile;

    private @Nullable Set<NodeRole> roles;
    private @Nullable String nodeId;
    private List<String> peers = List.of();
    private int port = ClusterConfig.DEFAULT_PORT;
    private int workerTimeoutS = (int) ClusterConfig.DEFAULT_WORKER_TIMEOUT.toSeconds();
    private int failoverTimeoutS = (int) ClusterConfig.DEFAULT_FAILOVER_TIMEOUT.toSeconds();
    private int maxStreams = ClusterConfig.DEFAULT_STREAMS;
    private int maxNodes = ClusterConfig.DEFAULT_NODES;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--roles", paramLabel = "ROLE", split = ",",
            description = "What this node of a cluster does: gateway (answers clients), worker (computes), keeper (keeps the log of weight "
                    + "versions); with commas between (default: all).")
    void setRoles(List<String> values) {
        Set<NodeRole> named = EnumSet.noneOf(NodeRole.class);
        for (String value : values) {
            try {
                named.add(NodeRole.valueOf(value.strip().toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), "--roles must be of gateway, worker, keeper: %s"
                        .formatted(Printable.quoted(value, SHOWN_CHARS)), e);
            }
        }
        roles = named;
    }

    @Option(names = "--node-id", paramLabel = "NAME",
            description = "Name of this node, unique in its cluster: makes the server a node of one.")
    void setNodeId(String value) {
        nodeId = value;
    }

    @Option(names = "--peers", paramLabel = "HOST:PORT", split = ",",
            description = "Registries (--cluster-host, --cluster-port) of nodes that may be there, with commas between; one that is is enough.")
    void setPeers(List<String> values) {
        for (String value : values) {
            if (!PEER.matcher(value.strip()).matches()) {
                throw new ParameterException(spec.commandLine(), "--peers must be host:port: %s".formatted(Printable.quoted(value, SHOWN_CHARS)));
            }
        }
        peers = values.stream().map(String::strip).toList();
    }

    @Option(names = "--cluster-port", paramLabel = "PORT", defaultValue = "" + ClusterConfig.DEFAULT_PORT,
            description = "Port of the registry of nodes; 0: one that is free (default: ${DEFAULT-VALUE}).")
    void setPort(int value) {
        port = Check.range(spec, "--cluster-port", value, 0, MAX_PORT);
    }

    @Option(names = "--worker-timeout", paramLabel = "SECONDS", defaultValue = "5",
            description = "Silence after which a gateway takes a worker for lost; its streams go on elsewhere (default: ${DEFAULT-VALUE}).")
    void setWorkerTimeout(int seconds) {
        workerTimeoutS = Check.range(spec, "--worker-timeout", seconds, 1, MAX_SECONDS);
    }

    @Option(names = "--failover-timeout", paramLabel = "SECONDS", defaultValue = "30",
            description = "How long a stream that has lost its worker waits for another (default: ${DEFAULT-VALUE}).")
    void setFailoverTimeout(int seconds) {
        failoverTimeoutS = Check.range(spec, "--failover-timeout", seconds, 0, MAX_SECONDS);
    }

    @Option(names = "--max-relayed", paramLabel = "N", defaultValue = "" + ClusterConfig.DEFAULT_STREAMS,
            description = "Streams that one gateway may have on this worker (default: ${DEFAULT-VALUE}).")
    void setMaxStreams(int value) {
        maxStreams = Check.range(spec, "--max-relayed", value, 1, MAX_STREAMS);
    }

    @Option(names = "--max-nodes", paramLabel = "N", defaultValue = "" + ClusterConfig.DEFAULT_NODES,
            description = "Nodes of the cluster that this one looks at (default: ${DEFAULT-VALUE}).")
    void setMaxNodes(int value) {
        maxNodes = Check.range(spec, "--max-nodes", value, 1, MAX_NODES);
    }

    /** What they say; null for a server by itself. */
    public @Nullable ClusterConfig config() {
        if (nodeId == null) {
            if (roles != null || !peers.isEmpty() || secretFile != null || url != null) {
                throw new ParameterException(spec.commandLine(), "a node of a cluster needs a name: --node-id NAME");
            }
            return null;
        }
        if (secretFile == null) {
            throw new ParameterException(spec.commandLine(), "a node of a cluster needs the secret of the cluster: --cluster-secret-file FILE");
        }
        try {
            return new ClusterConfig(roles == null ? EnumSet.allOf(NodeRole.class) : roles, nodeId, host, port, peers, url, secret(secretFile),
                    Duration.ofSeconds(workerTimeoutS), Duration.ofSeconds(failoverTimeoutS), maxStreams, maxNodes);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private String secret(Path file) {
        try {
            String secret = Files.readString(file).strip();
            if (secret.length() < ClusterConfig.MIN_SECRET || !secret.chars().allMatch(c -> c > ' ' && c < 0x7F)) {
                throw new ParameterException(spec.commandLine(),
                        "%s: the secret of a cluster is one word of at least %d visible ASCII characters: characters=%d (--cluster-secret-file)"
                                .formatted(file, ClusterConfig.MIN_SECRET, secret.length()));
            }
            return secret;
        } catch (IOException e) {
            throw new ParameterException(spec.commandLine(), "%s: %s (--cluster-secret-file)".formatted(file, Reasons.of(e)), e);
        }
    }
}
