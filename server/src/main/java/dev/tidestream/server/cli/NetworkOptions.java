package dev.tidestream.server.cli;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.transport.AccessRules;
import dev.tidestream.server.transport.SocketLimits;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.http.AnswerLimits;
import dev.tidestream.server.transport.http.HostPolicy;
import dev.tidestream.server.transport.http.HttpLimits;

/** Options of {@code serve} for who may connect, and for what connections may hold. */
final class NetworkOptions {
    private static final long MIN_INPUT_RATE_BYTES = 64 << 10; // what one read of a socket brings
    private static final int MAX_BODY_BYTES = 1 << 30;
    private static final int MAX_HOST_CHARS = 253;
    private static final int MAX_PENDING = 1_000_000;
    private static final int MAX_TIMEOUT_S = 3600;
    private static final int DEFAULT_REQUEST_TIMEOUT_S = 10;
    private static final int DEFAULT_GRACE_S = 10;

    @Option(names = "--allow-host", paramLabel = "NAME", split = ",",
            description = "A host name or address, without port, that clients may call this server by, beside localhost and "
                    + "--host; any address if --host is none of the loopback; repeatable; *: any.")
    private List<String> hosts = new ArrayList<>();

    private final List<String> origins = new ArrayList<>();

    @Option(names = "--max-assembly", paramLabel = "SIZE", converter = ByteSize.Converter.class,
            description = "What all connections together may hold of messages that have not come to their end "
                    + "(default: 64MiB, or an eighth of the heap if that is less).")
    private @Nullable ByteSize maxAssembly;

    @Option(names = "--api-keys", paramLabel = "FILE",
            description = "A file of API keys, made by tidestream keys add; clients must show one. Read again when it changes.")
    private @Nullable Path apiKeys;

    @Option(names = "--allow-unauthenticated", fallbackValue = "true",
            description = "Listen beyond this machine without --api-keys: whoever reaches the port may generate.")
    private boolean unauthenticated;

    @Option(names = "--key-metrics", fallbackValue = "true",
            description = "Name API keys in the metrics: requests, tokens and streams of each.")
    private boolean keyMetrics;

    @Option(names = "--console", arity = "1", fallbackValue = "true", paramLabel = "true|false", defaultValue = "true",
            description = "Show the web console at / (default: ${DEFAULT-VALUE}). What it does needs a key or the admin token, as ever.")
    private boolean console = true;

    private long maxInputBytesPerSecond;
    private int maxBodyBytes;
    private @Nullable Integer maxPending;
    private @Nullable Integer maxPendingPerAddress;
    private int requestTimeoutS = DEFAULT_REQUEST_TIMEOUT_S;
    private int shutdownGraceS = DEFAULT_GRACE_S;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--allow-origin", paramLabel = "ORIGIN", split = ",",
            description = "Web pages that may use this server, as browsers send it, e.g. https://chat.example, beside pages of "
                    + "the host itself; repeatable; *: any.")
    void setOrigins(List<String> values) {
        for (String value : values) {
            if (!isOrigin(value)) {
                throw new ParameterException(spec.commandLine(),
                        "--allow-origin must be like https://chat.example or http://localhost:3000, without a path, or *: "
                                + value);
            }
        }
        origins.clear();
        origins.addAll(values);
    }

    private static boolean isOrigin(String value) {
        if (value.equals("*") || value.equals("null")) {
            return true;
        }
        try {
            URI uri = new URI(value);
            return uri.getScheme() != null && uri.getHost() != null && value.equals(uri.getScheme() + "://" + uri.getAuthority());
        } catch (URISyntaxException e) {
            return false; // which is the answer
        }
    }

    @Option(names = "--max-input-rate", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "8MiB",
            description = "What all clients together may send per second, beyond a small allowance of each; who sends more is read "
                    + "from more slowly (default: ${DEFAULT-VALUE}).")
    void setMaxInputRate(ByteSize value) {
        if (value.bytes() < MIN_INPUT_RATE_BYTES) {
            throw new ParameterException(spec.commandLine(), "--max-input-rate must be at least %d bytes: %d"
                    .formatted(MIN_INPUT_RATE_BYTES, value.bytes()));
        }
        maxInputBytesPerSecond = value.bytes();
    }

    @Option(names = "--max-body", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "1MiB",
            description = "Largest body of an HTTP request (default: ${DEFAULT-VALUE}).")
    void setMaxBody(ByteSize value) {
        maxBodyBytes = (int) Check.range(spec, "--max-body", value.bytes(), 1, MAX_BODY_BYTES);
    }

    @Option(names = "--max-pending", paramLabel = "N",
            description = "Connections at once whose HTTP request has not come to its end; then the oldest gives its place "
                    + "(default: four times --max-pending-per-address).")
    void setMaxPending(int value) {
        maxPending = Check.range(spec, "--max-pending", value, 1, MAX_PENDING);
    }

    @Option(names = "--max-pending-per-address", paramLabel = "N",
            description = "The same of one remote address (default: --max-connections and 64 more).")
    void setMaxPendingPerAddress(int value) {
        maxPendingPerAddress = Check.range(spec, "--max-pending-per-address", value, 1, MAX_PENDING);
    }

    @Option(names = "--request-timeout", paramLabel = "SECONDS", defaultValue = "" + DEFAULT_REQUEST_TIMEOUT_S,
            description = "How long an HTTP request may take to come (default: ${DEFAULT-VALUE}).")
    void setRequestTimeout(int value) {
        requestTimeoutS = Check.range(spec, "--request-timeout", value, 1, MAX_TIMEOUT_S);
    }

    @Option(names = {"--drain-timeout", "--shutdown-grace"}, paramLabel = "SECONDS", defaultValue = "" + DEFAULT_GRACE_S,
            description = "How long running streams may go on when the server is told to stop (default: ${DEFAULT-VALUE}).")
    void setShutdownGrace(int value) {
        shutdownGraceS = Check.range(spec, "--drain-timeout", value, 0, MAX_TIMEOUT_S);
    }

    /** Refuses to let strangers in by oversight: who reaches the port of a server without keys may use all of it. */
    private void requireKeysBeyondThisMachine(String host) {
        if (apiKeys == null && !unauthenticated && !HostPolicy.isLoopback(host)) {
            throw new ParameterException(spec.commandLine(), ("--host %s lets other machines in, and without keys whoever reaches"
                    + " the port may generate: give --api-keys FILE (tidestream keys add makes it), or --allow-unauthenticated if that is meant")
                    .formatted(Printable.quoted(host, MAX_HOST_CHARS)));
        }
    }

    /**
     * The same configuration with these options.
     *
     * @throws ParameterException if it would let in other machines without keys, and nobody said that it should
     */
    TransportConfig applyTo(TransportConfig config, AnswerLimits answers) {
        if (config.hasPort()) {
            requireKeysBeyondThisMachine(config.host());
        }
        HttpLimits http = HttpLimits.of(config.maxConnections());
        int perAddress = maxPendingPerAddress == null ? http.maxPendingPerAddress() : maxPendingPerAddress;
        int all = maxPending == null ? Math.max(http.maxPending(), perAddress) : maxPending;
        SocketLimits sockets = SocketLimits.of(config.maxMessageBytes());
        long assembly = maxAssembly == null ? sockets.maxAssemblyBytes() : maxAssembly.bytes();
        if (assembly < config.maxMessageBytes()) {
            throw new ParameterException(spec.commandLine(), "--max-assembly must have room for one message: bytes=%d, message=%d"
                    .formatted(assembly, config.maxMessageBytes()));
        }
        if (assembly < maxBodyBytes) {
            throw new ParameterException(spec.commandLine(), "--max-assembly must have room for one body: bytes=%d, max_body=%d"
                    .formatted(assembly, maxBodyBytes));
        }
        return config
                .withLimits(
                        new HttpLimits(all, perAddress, http.maxIdle(), Duration.ofSeconds(requestTimeoutS), http.idleTimeout(), maxBodyBytes,
                                answers),
                        new SocketLimits(assembly, maxInputBytesPerSecond, sockets.closeTimeout(), sockets.answerGrace()))
                .withAccess(new AccessRules(hosts, origins, apiKeys, unauthenticated, keyMetrics, console))
                .withShutdownGrace(Duration.ofSeconds(shutdownGraceS));
    }
}
