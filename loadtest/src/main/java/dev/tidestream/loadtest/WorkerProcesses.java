package dev.tidestream.loadtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.loadtest.run.WorkerFaults;

/**
 * Processes that are killed in turn: those of others, by their ids, and some that we start and start again. A process of others is
 * killed only while it is the one that was there when we began, or the one that its file names now: system ids are used again.
 */
final class WorkerProcesses implements WorkerFaults, AutoCloseable {
    private static final Duration START_PATIENCE = Duration.ofMinutes(5);
    private static final int SHOWN_CHARS = 100;

    /** One that may be killed. */
    private sealed interface Worker {
        String name();
    }

    /** @param started when it was, as far as the system says */
    private record ById(String name, ProcessHandle process, Optional<Instant> started) implements Worker {}

    private record ByFile(String name, Path file) implements Worker {}

    private record ByCommand(String name, List<String> command) implements Worker {}

    private final List<Worker> workers = new ArrayList<>();
    private final Map<String, ServerProcess> ours = new ConcurrentHashMap<>(); // those of commands that run, by name
    private final Duration back;
    private final List<String> troubles = new CopyOnWriteArrayList<>();
    private volatile boolean closed;
    private int turn; // I/O thread

    private WorkerProcesses(Duration back) {
        this.back = back;
    }

    /**
     * Finds the processes, starts those that are to be started, and waits until they say that they are ready.
     *
     * @throws LoadFailedException if one is not there or does not get ready
     */
    static WorkerProcesses start(WorkerOptions options) throws LoadFailedException, InterruptedException {
        WorkerProcesses all = new WorkerProcesses(options.back);
        try {
            for (String pid : options.pids) {
                all.workers.add(pid.chars().allMatch(Character::isDigit) ? byId(pid) : byFile(pid));
            }
            for (String command : options.commands) {
                ByCommand worker = new ByCommand("worker " + (all.workers.size() + 1), List.of(command.strip().split(" +")));
                all.workers.add(worker);
                all.ours.put(worker.name(), launched(worker));
            }
            return all;
        } catch (LoadFailedException | InterruptedException e) {
            all.close();
            throw e;
        }
    }

    private static ById byId(String pid) throws LoadFailedException {
        ProcessHandle process = process(pid);
        return new ById("process " + pid, process, process.info().startInstant());
    }

    private static ByFile byFile(String file) throws LoadFailedException {
        ByFile worker = new ByFile(Printable.quoted(file, SHOWN_CHARS), Path.of(file));
        try {
            process(Files.readString(worker.file()).strip());
        } catch (IOException e) {
            throw new LoadFailedException("--worker-pid is neither a number nor a file that can be read: %s: %s"
                    .formatted(worker.name(), Reasons.of(e)), e);
        }
        return worker;
    }

    private static ProcessHandle process(String pid) throws LoadFailedException {
        Optional<ProcessHandle> process = handle(pid);
        if (process.isEmpty()) {
            throw new LoadFailedException("--worker-pid: there is no such process: " + Printable.quoted(pid, SHOWN_CHARS));
        }
        ProcessHandle me = ProcessHandle.current();
        if (process.get().pid() <= 1 || process.get().equals(me) || me.parent().filter(process.get()::equals).isPresent()) {
            throw new LoadFailedException("--worker-pid: not a worker but who started this: " + pid);
        }
        return process.get();
    }

    private static Optional<ProcessHandle> handle(String pid) {
        try {
            return ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static ServerProcess launched(ByCommand worker) throws LoadFailedException, InterruptedException {
        CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();
        ServerProcess process;
        try {
            process = ServerProcess.start(worker.command(), line -> {
                if (line.contains("ready on ")) {
                    ready.complete(null);
                }
            }, () -> { });
        } catch (IOException e) {
            throw new LoadFailedException("a worker cannot be started: " + Reasons.message(e), e);
        }
        process.onExit(() -> ready.completeExceptionally(new IOException("it has ended")));
        try {
            ready.get(START_PATIENCE.toSeconds(), TimeUnit.SECONDS);
            return process;
        } catch (ExecutionException | TimeoutException e) {
            process.close();
            throw new LoadFailedException("%s does not get ready:%s".formatted(worker.name(), process.lastLines()), e);
        } catch (InterruptedException e) {
            process.close();
            throw e;
        }
    }

    @Override
    public Optional<String> kill() {
        for (int i = 0; i < workers.size(); i++) {
            Worker worker = workers.get(turn++ % workers.size());
            boolean killed = switch (worker) {
                case ById one -> one.process().info().startInstant().equals(one.started()) && one.process().destroyForcibly();
                case ByFile one -> pidOf(one.file()).flatMap(WorkerProcesses::handle).filter(ProcessHandle::destroyForcibly).isPresent();
                case ByCommand one -> kill(one);
            };
            if (killed) {
                return Optional.of(worker.name());
            }
        }
        return Optional.empty();
    }

    /** Empty while it is written anew. */
    private static Optional<String> pidOf(Path file) {
        try {
            return Optional.of(Files.readString(file).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private boolean kill(ByCommand worker) {
        ServerProcess process = ours.remove(worker.name());
        if (process == null) {
            return false; // it is not back yet
        }
        process.kill();
        if (!back.isZero()) {
            CompletableFuture.delayedExecutor(back.toNanos(), TimeUnit.NANOSECONDS, task -> Thread.ofVirtual().start(task))
                    .execute(() -> startAgain(worker));
        }
        return true;
    }

    private void startAgain(ByCommand worker) {
        if (closed) {
            return;
        }
        try {
            ServerProcess process = launched(worker);
            ours.put(worker.name(), process);
            if (closed) {
                process.close();
            }
        } catch (LoadFailedException e) {
            troubles.add("%s was not started again: %s".formatted(worker.name(), Reasons.message(e)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What went wrong since it was started. */
    List<String> troubles() {
        return List.copyOf(troubles);
    }

    @Override
    public void close() {
        closed = true;
        ours.values().forEach(ServerProcess::close);
    }
}
