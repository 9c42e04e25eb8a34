package dev.tidestream.loadtest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import dev.tidestream.loadtest.figures.Figures;

/** A server of our own: free port, data directory and token in a temporary directory, stopped and cleared away at the end. */
final class SpawnedServer implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("ready on (ws://\\S+)");
    private static final Duration START_PATIENCE = Duration.ofMinutes(5); // the launcher may have to build first
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
    private static final int LINES_KEPT = 20;
    private static final int TOKEN_BYTES = 24;

    private final Process process;
    private final Path directory;
    private final Path tokenFile;
    private final URI url;
    private final Thread hook;
    private long cpuNs;
    private long atNs;

    private SpawnedServer(Process process, Path directory, Path tokenFile, URI url, Thread hook) {
        this.process = process;
        this.directory = directory;
        this.tokenFile = tokenFile;
        this.url = url;
        this.hook = hook;
    }

    /**
     * Starts one and waits until it is ready.
     *
     * @param command of the launcher, without {@code serve}
     * @throws LoadFailedException if it does not get ready; the message has its last lines
     */
    static SpawnedServer start(List<String> command, List<String> arguments) throws LoadFailedException, InterruptedException {
        try {
            Path directory = Files.createTempDirectory("tidestream-loadtest-");
            Path token = directory.resolve("admin-token");
            Files.createFile(token, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            byte[] secret = new byte[TOKEN_BYTES];
            new java.security.SecureRandom().nextBytes(secret);
            Files.writeString(token, HexFormat.of().formatHex(secret) + "\n");
            List<String> all = new ArrayList<>(command);
            all.addAll(List.of("serve", "--port", "0", "--data-dir", directory.resolve("data").toString(), "--admin-token-file",
                    token.toString()));
            all.addAll(arguments);
            Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
            Thread hook = Thread.ofPlatform().name("loadtest-stop").unstarted(() -> end(process, directory));
            Runtime.getRuntime().addShutdownHook(hook);
            return new SpawnedServer(process, directory, token, awaitReady(process, directory, hook), hook);
        } catch (IOException e) {
            throw new LoadFailedException("cannot start a server: " + e.getMessage(), e);
        }
    }

    private static URI awaitReady(Process process, Path directory, Thread hook) throws LoadFailedException, InterruptedException {
        CompletableFuture<URI> ready = new CompletableFuture<>();
        Deque<String> last = new ArrayDeque<>();
        Thread.ofVirtual().name("server-output").start(() -> follow(process, ready, last));
        try {
            return ready.get(START_PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            end(process, directory);
            Runtime.getRuntime().removeShutdownHook(hook);
            synchronized (last) {
                throw new LoadFailedException("the server does not get ready:\n  " + String.join("\n  ", last), e);
            }
        }
    }

    /** Reads what the server says until it ends: a pipe that nobody reads would stop it. */
    private static void follow(Process process, CompletableFuture<URI> ready, Deque<String> last) {
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (last) {
                    last.add(line);
                    if (last.size() > LINES_KEPT) {
                        last.remove();
                    }
                }
                Matcher matcher = READY.matcher(line);
                if (matcher.find()) {
                    ready.complete(URI.create(String.valueOf(matcher.group(1))));
                }
            }
            ready.completeExceptionally(new IOException("it has ended"));
        } catch (IOException e) {
            ready.completeExceptionally(e);
        }
    }

    URI url() {
        return url;
    }

    Path tokenFile() {
        return tokenFile;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it used since the last call; may be called by any one thread. */
    Figures.ServerUse use() {
        long nowNs = System.nanoTime();
        long nowCpuNs = process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
        double cores = atNs == 0 ? 0 : (double) (nowCpuNs - cpuNs) / Math.max(1, nowNs - atNs);
        atNs = nowNs;
        cpuNs = nowCpuNs;
        return new Figures.ServerUse(cores, rssMb());
    }

    /** From /proc, where there is one; else 0. */
    private double rssMb() {
        Path status = Path.of("/proc/" + process.pid() + "/status");
        try {
            if (!Files.isReadable(status)) {
                return 0;
            }
            return Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0; // it ended between the two looks
        }
    }

    private static void end(Process process, Path directory) {
        process.destroy();
        try {
            if (!process.waitFor(STOP_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clear " + directory, e);
        }
    }

    @Override
    public void close() {
        end(process, directory);
        Runtime.getRuntime().removeShutdownHook(hook);
    }
}
