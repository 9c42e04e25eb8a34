package dev.tidestream.loadtest;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.loadtest.figures.Figures;

/** A server that we started: what it says is read until it ends, and it ends when we do. */
final class ServerProcess implements AutoCloseable {
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
    private static final Duration READ_PATIENCE = Duration.ofSeconds(1);
    private static final int LINES_KEPT = 20;

    private final Process process;
    private final Runnable afterwards;
    private final Thread hook;
    private final Deque<String> last = new ArrayDeque<>(); // its own lock
    private final List<Thread> followers;
    private long cpuNs;
    private long atNs;

    private ServerProcess(Process process, Consumer<String> line, Runnable afterwards) {
        this.process = process;
        this.afterwards = afterwards;
        this.hook = Thread.ofPlatform().name("loadtest-stop").unstarted(this::end);
        this.followers = List.of(
                Thread.ofVirtual().name("server-output").unstarted(() -> follow(process.inputReader(StandardCharsets.UTF_8), line)),
                Thread.ofVirtual().name("server-errors")
                        .unstarted(() -> follow(process.errorReader(StandardCharsets.UTF_8), _ -> { })));
    }

    /**
     * Starts it.
     *
     * @param line hears each line of its standard output, on a thread of its own
     * @param afterwards is run when it has ended because of us
     * @throws IOException if there is no such program
     */
    static ServerProcess start(List<String> command, Consumer<String> line, Runnable afterwards) throws IOException {
        ServerProcess server = new ServerProcess(new ProcessBuilder(command).start(), line, afterwards);
        Runtime.getRuntime().addShutdownHook(server.hook);
        server.followers.forEach(Thread::start);
        return server;
    }

    /** A pipe that nobody reads would stop it. */
    private void follow(BufferedReader reader, Consumer<String> listener) {
        try (BufferedReader lines = reader) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (last) {
                    last.add(Printable.line(line));
                    if (last.size() > LINES_KEPT) {
                        last.remove();
                    }
                }
                listener.accept(line);
            }
        } catch (IOException e) {
            synchronized (last) {
                last.add("its output cannot be read: " + Reasons.of(e));
            }
        }
    }

    /** What it said at last; of a process that has ended, all of it has been read. */
    String lastLines() throws InterruptedException {
        if (!process.isAlive()) {
            for (Thread follower : followers) {
                follower.join(READ_PATIENCE); // children of the process may hold the pipe
            }
        }
        synchronized (last) {
            return "\n  " + String.join("\n  ", last);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Runs a task when the process has ended, whatever the reason. */
    void onExit(Runnable task) {
        var _ = process.onExit().thenRun(task);
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

    /** Ends it at once, as a machine that loses power would. It may have been closed before, and may be closed afterwards. */
    void kill() {
        process.destroyForcibly();
        removeHook();
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the JVM stops, and runs it
        }
    }

    private void end() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        afterwards.run();
    }

    @Override
    public void close() {
        end();
        removeHook();
    }
}
