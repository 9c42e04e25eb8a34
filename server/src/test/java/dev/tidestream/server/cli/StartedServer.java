package dev.tidestream.server.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.app.StartListener;
import dev.tidestream.server.app.TidestreamServer;
import dev.tidestream.server.cli.admin.AdminClient;

/** All of {@code serve} on the embedded model, at a free port, with a data directory. */
final class StartedServer implements AutoCloseable {
    static final String TOKEN = "a-token-of-this-test-alone";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final Path dataDir;
    final ServerConfig config;
    final TidestreamServer serving;

    /**
     * Serves; a builder makes no way for streams.
     *
     * @param temp an empty directory
     * @param more options
     */
    StartedServer(Path temp, String... more) throws IOException {
        dataDir = temp.resolve("data");
        Path token = Files.writeString(temp.resolve("token"), TOKEN + "\n");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        ServeCommand options = new ServeCommand();
        List<String> args = new ArrayList<>(List.of("--port", "0", "--data-dir", dataDir.toString(),
                "--admin-token-file", token.toString(), "--builder-share", "1"));
        args.addAll(List.of(more));
        Main.commandLine(options).parseArgs(args.toArray(String[]::new));
        config = options.config();
        serving = TidestreamServer.listen(config, StartListener.NONE);
    }

    int port() {
        return serving.port();
    }

    ModelRuntime running() {
        return serving.running();
    }

    AdminClient admin() throws IOException, InterruptedException {
        return AdminClient.connect(URI.create("ws://127.0.0.1:%d/v1/admin".formatted(port())), TOKEN, PATIENCE);
    }

    @Override
    public void close() {
        serving.close();
    }
}
