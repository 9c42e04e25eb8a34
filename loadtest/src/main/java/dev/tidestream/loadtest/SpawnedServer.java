package dev.tidestream.loadtest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.tidestream.console.Reasons;

/** A server of our own: free port, data directory and token in a temporary directory, stopped and cleared away at the end. */
final class SpawnedServer implements AutoCloseable {
    /** A whole line of standard output, so that nothing within another line is taken for it. */
    private static final Pattern READY = Pattern.compile("(?:tidestream: )?ready on (ws://[\\w.:%\\[\\]-]+/[\\w./-]*)(?: \\(.*\\))?");
    private static final Duration START_PATIENCE = Duration.ofMinutes(5); // the launcher may have to build first
    private static final int TOKEN_BYTES = 24;

    private final ServerProcess process;
    private final Path tokenFile;
    private final URI url;

    private SpawnedServer(ServerProcess process, Path tokenFile, URI url) {
        this.process = process;
        this.tokenFile = tokenFile;
        this.url = url;
    }

    /**
     * Starts one and waits until it is ready.
     *
     * @param command of the launcher, without {@code serve}
     * @throws LoadFailedException if it does not get ready; the message has its last lines
     */
    static SpawnedServer start(List<String> command, List<String> arguments) throws LoadFailedException, InterruptedException {
        Path directory = null;
        try {
            directory = Files.createTempDirectory("tidestream-loadtest-");
            Path made = directory;
            Path token = directory.resolve("admin-token");
            Files.createFile(token, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            byte[] secret = new byte[TOKEN_BYTES];
            new SecureRandom().nextBytes(secret);
            Files.writeString(token, HexFormat.of().formatHex(secret) + "\n");
            List<String> all = new ArrayList<>(command);
            all.addAll(List.of("serve", "--port", "0", "--data-dir", directory.resolve("data").toString(), "--admin-token-file",
                    token.toString()));
            all.addAll(arguments);
            CompletableFuture<URI> ready = new CompletableFuture<>();
            ServerProcess process = ServerProcess.start(all, line -> {
                Matcher matcher = READY.matcher(line);
                if (matcher.matches()) {
                    ready.complete(URI.create(String.valueOf(matcher.group(1))));
                }
            }, () -> clear(made));
            process.onExit(() -> ready.completeExceptionally(new IOException("it has ended")));
            return new SpawnedServer(process, token, awaitReady(process, ready));
        } catch (IOException e) {
            if (directory != null) {
                clear(directory);
            }
            throw new LoadFailedException("cannot start a server: " + Reasons.message(e), e);
        }
    }

    private static URI awaitReady(ServerProcess process, CompletableFuture<URI> ready)
            throws LoadFailedException, InterruptedException {
        try {
            return ready.get(START_PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            process.close();
            throw new LoadFailedException("the server does not get ready:" + process.lastLines(), e);
        } catch (InterruptedException e) {
            process.close();
            throw e;
        }
    }

    private static void clear(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clear " + directory, e);
        }
    }

    URI url() {
        return url;
    }

    Path tokenFile() {
        return tokenFile;
    }

    ServerProcess process() {
        return process;
    }

    @Override
    public void close() {
        process.close();
    }
}
