package dev.tidestream.server.cli.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.tidestream.server.cli.terminal.CliException;

/** One node of a cluster on this machine: a process of its own, whose log is a file. */
final class LocalNode {
    private static final Pattern READY = Pattern.compile("tidestream: ready on ws(s?)://(\\S+)/v1/stream\\b.*");

    private final String name;
    private final Process process;
    private final Path log;
    private final CompletableFuture<String> url = new CompletableFuture<>();

    private LocalNode(String name, Process process, Path log) {
        this.log = log;
        this.name = name;
        this.process = process;
    }

    /**
     * Starts one.
     *
     * @param log gets what it says beside the line that it is ready
     */
    static LocalNode start(String name, List<String> command, Path log) {
        try {
            Process process = new ProcessBuilder(command).redirectError(log.toFile()).start();
            LocalNode node = new LocalNode(name, process, log);
            Thread.ofPlatform().name("tidestream-node-" + name).daemon().start(node::read);
            return node;
        } catch (IOException e) {
            throw new UncheckedIOException("node %s could not be started".formatted(name), e);
        }
    }

    private void read() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            String line;
            while ((line = lines.readLine()) != null) {
                Matcher ready = READY.matcher(line);
                if (ready.matches()) {
                    url.complete("http%s://%s".formatted(ready.group(1), ready.group(2)));
                }
            }
        } catch (IOException e) {
            url.completeExceptionally(e);
        }
        url.completeExceptionally(new CliException("node %s ended before it was ready, its log says why: %s".formatted(name, log)));
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    /** Where it answers; completes when it does. */
    CompletableFuture<String> url() {
        return url;
    }

    /** Its exit code, when it has ended. */
    CompletableFuture<Integer> ended() {
        return process.onExit().thenApply(Process::exitValue);
    }

    /** Has it end as it does by itself. */
    void askToEnd() {
        process.destroy();
    }

    /** Waits until it has ended, and ends it by force if that takes too long. */
    void end(long patienceMs) throws InterruptedException {
        if (!process.waitFor(patienceMs, TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
        }
    }
}
