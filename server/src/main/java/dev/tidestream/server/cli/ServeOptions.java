package dev.tidestream.server.cli;

import java.nio.file.Path;
import java.util.Optional;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.configuration.SettingDefaults;
import dev.tidestream.server.cli.options.AdapterOptions;
import dev.tidestream.server.cli.options.AnswerOptions;
import dev.tidestream.server.cli.options.ClusterOptions;
import dev.tidestream.server.cli.options.ComputeOptions;
import dev.tidestream.server.cli.options.KeeperOptions;
import dev.tidestream.server.cli.options.LogOptions;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.options.ReceiptOptions;
import dev.tidestream.server.cli.options.ResumeOptions;
import dev.tidestream.server.cli.options.ShadowOptions;
import dev.tidestream.server.cli.options.StreamLimitOptions;
import dev.tidestream.server.cli.options.TlsOptions;
import dev.tidestream.server.cli.options.TracingOptions;
import dev.tidestream.server.cli.options.TrainerOptions;
import dev.tidestream.server.cli.options.UnixSocketOptions;
import dev.tidestream.server.cli.terminal.ByteSize;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.logging.LogLevels;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.http.UnixSocket;

/** The options of {@code serve}. */
@Command(
        name = "serve",
        description = "Serve a model: tokens over WebSocket, at ws://HOST:PORT/v1/stream.",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream serve                                      the starter model, on this machine only",
            "  tidestream serve -m model.gguf --port 9000            another model, another port",
            "  tidestream serve --host 0.0.0.0 --api-keys api-keys   for the network, for those who have a key",
            "  tidestream serve --kv-memory 4GiB                     with room for more streams",
            "  tidestream serve --allow-origin https://chat.example  for the pages of a site, too",
            "  tidestream serve --kv-type f32                        keys and values as computed, at twice the memory",
            "  tidestream serve --data-dir versions                  takes weight updates and keeps them",
            "  tidestream serve --adapter law=adapters/law           requests may ask for the adapter law",
            "  tidestream serve --tls-cert cert.pem --tls-key key.pem   https and wss",
            "  tidestream serve --port none --unix-socket ts.sock    for this machine, without a port",
            "  tidestream serve --config tidestream.yaml             options from a file; TIDESTREAM_PORT=9000 is --port 9000",
            "",
            "SIGINT or SIGTERM: no new streams; running ones have ten seconds (--drain-timeout), clients one more to",
            "close; then the process ends, with exit code 0. A second signal ends it at once. SIGHUP: files are read anew.",
        })
abstract class ServeOptions {
    private static final String NONE = "none";
    private static final int MAX_HOST_CHARS = 253;
    private static final int MAX_PORT = 65_535;
    private static final int MAX_SEQUENCES = 1024;
    private static final int MAX_CONNECTIONS = 100_000;
    private static final int DEFAULT_CONNECTIONS = 256;
    private static final int DEFAULT_PORT = 8080;
    private static final int DEFAULT_SEQUENCES = 16;

    @Option(names = SettingDefaults.CONFIG, paramLabel = "FILE",
            description = "Options from a YAML file: max-streams: 64 is --max-streams 64. Options of the command line "
                    + "count for more, then TIDESTREAM_MAX_STREAMS of the environment. Shown by: tidestream config.")
    @Nullable Path configFile;

    @Mixin
    final ModelOption model = new ModelOption();

    String host = "127.0.0.1";

    @Mixin
    final ComputeOptions compute = new ComputeOptions();

    @Option(names = "--kv-memory", paramLabel = "SIZE", converter = ByteSize.Converter.class, defaultValue = "1GiB",
            description = "Memory for keys and values of all streams, e.g. 512MiB (default: ${DEFAULT-VALUE}).")
    ByteSize kvMemory = new ByteSize(1L << 30);

    @Mixin
    final StreamLimitOptions limits = new StreamLimitOptions();

    @Mixin
    final TlsOptions tls = new TlsOptions();

    @Mixin
    final UnixSocketOptions unix = new UnixSocketOptions();

    @Option(names = "--log-level", paramLabel = "LEVEL",
            description = "How much is written to the log: error, warn, info, debug or trace (default: info, or what a "
                    + "logback file says).")
    private @Nullable LogLevels logLevel;

    @Mixin
    final NetworkOptions network = new NetworkOptions();

    @Mixin
    final AnswerOptions answers = new AnswerOptions();

    @Mixin
    final LiveUpdateOptions live = new LiveUpdateOptions();

    @Mixin
    final ChatOptions chats = new ChatOptions();

    @Mixin
    final LogOptions logging = new LogOptions();

    @Mixin
    final ResumeOptions resume = new ResumeOptions();

    @Mixin
    final ReceiptOptions receipts = new ReceiptOptions();

    @Mixin
    final AdapterOptions adapters = new AdapterOptions();

    @Mixin
    final ShadowOptions shadow = new ShadowOptions();

    @Mixin
    final ClusterOptions cluster = new ClusterOptions();

    @Mixin
    final TrainerOptions trainers = new TrainerOptions();

    @Mixin
    final KeeperOptions keepers = new KeeperOptions();

    @Mixin
    final TracingOptions tracing = new TracingOptions();

    private int port = DEFAULT_PORT;
    private int maxSequences = DEFAULT_SEQUENCES;
    private int maxConnections = DEFAULT_CONNECTIONS;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--host", paramLabel = "HOST", defaultValue = "127.0.0.1",
            description = "Address to listen on (default: ${DEFAULT-VALUE}, this machine only).")
    void setHost(String value) {
        if (value.isBlank()) { // to the system, that would be this machine
            throw new ParameterException(spec.commandLine(), "--host must not be blank: " + Printable.quoted(value, MAX_HOST_CHARS));
        }
        host = value;
    }

    @Option(names = {"-p", "--port"}, paramLabel = "PORT", defaultValue = "" + DEFAULT_PORT,
            description = "Port to listen on; 0 lets the system choose, none: --unix-socket alone (default: ${DEFAULT-VALUE}).")
    void setPort(String value) {
        if (value.equals(NONE)) {
            port = TransportConfig.NO_PORT;
            return;
        }
        try {
            port = Check.range(spec, "--port", Integer.parseInt(value), 0, MAX_PORT);
        } catch (NumberFormatException e) {
            throw new ParameterException(spec.commandLine(), "--port must be a whole number, or none: %s, for example --port 9000"
                    .formatted(Printable.quoted(value, MAX_HOST_CHARS)), e);
        }
    }

    @Option(names = "--max-sequences", paramLabel = "N", defaultValue = "" + DEFAULT_SEQUENCES,
            description = "Streams that run at the same time; more wait their turn (default: ${DEFAULT-VALUE}).")
    void setMaxSequences(int value) {
        maxSequences = Check.range(spec, "--max-sequences", value, 1, MAX_SEQUENCES);
    }

    @Option(names = "--max-connections", paramLabel = "N", defaultValue = "" + DEFAULT_CONNECTIONS,
            description = "WebSockets open at the same time (default: ${DEFAULT-VALUE}).")
    void setMaxConnections(int value) {
        maxConnections = Check.range(spec, "--max-connections", value, 1, MAX_CONNECTIONS);
    }

    /** The level of the log that is asked for; nothing if none is. */
    Optional<LogLevels> logLevel() {
        return Optional.ofNullable(logLevel);
    }

    /**
     * What these options say.
     *
     * @throws ParameterException if some of them are of no use together
     */
    ServerConfig config() {
        ServerConfig d = ServerConfig.DEFAULT;
        UnixSocket socket = unix.socket();
        if (port == TransportConfig.NO_PORT && socket == null) {
            throw new ParameterException(spec.commandLine(), "--port none needs --unix-socket FILE: there would be nowhere to come in");
        }
        return new ServerConfig(
                model.path(),
                compute.config(),
                limits.applyTo(d.engine()).withMaxSequences(maxSequences).withKvMemoryBytes(kvMemory.bytes()),
                network.applyTo(d.transport().withAddress(host, 0).withUnixSocket(socket, port).withMaxConnections(maxConnections)
                        .withMaxStreams(limits.maxStreams()).withTls(tls.files()), answers.limits(limits.stallTimeout())),
                trainers.applyTo(live.config().withShadow(shadow.limits()).withKeepers(keepers.members())),
                chats.config(),
                resume.config(),
                receipts.config(),
                adapters.config(),
                tracing.endpoint(),
                cluster.config());
    }
}
