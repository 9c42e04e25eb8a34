package dev.tidestream.server.cli.cluster;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.server.cli.options.ModelOption;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.transport.AdminToken;

/** {@code cluster up}: nodes on this machine, each a process of its own, until Ctrl-C. */
@Command(
        name = "up",
        description = "Start the nodes of a cluster on this machine, to try it: each is a process, gateway and worker in one. "
                + "Ctrl-C ends them.",
        footer = {
            "",
            "Examples:",
            "  tidestream cluster up                          three nodes of the starter model",
            "  tidestream cluster up --nodes 2 -m model.gguf  two of another",
            "",
            "Then stream from any of them, and kill -9 another: nobody notices but by the clock.",
        })
final class ClusterUpCommand implements Callable<Integer> {
    private static final int MAX_NODES = 16;
    private static final int LEAST_REPLICATED = 3;
    private static final long PATIENCE_MS = 15_000; // for the grace of running streams
    private static final int REASON_CHARS = 500;

    @Mixin
    final ModelOption model = new ModelOption();

    @Option(names = "--directory", paramLabel = "DIR",
            description = "Where logs, versions of the weights, the secret and the admin token are written (default: a new directory for temporary files).")
    private @Nullable Path directory;

    private int nodes = 3;
    private int threads;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Option(names = "--nodes", paramLabel = "N", defaultValue = "3", description = "How many (default: ${DEFAULT-VALUE}).")
    void setNodes(int value) {
        nodes = Check.range(spec, "--nodes", value, 1, MAX_NODES);
    }

    @Option(names = "--threads", paramLabel = "N", defaultValue = "0",
            description = "Threads that each computes with; 0: a fair part of the cores (default: ${DEFAULT-VALUE}).")
    void setThreads(int value) {
        threads = Check.range(spec, "--threads", value, 0, 1024);
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<LocalNode> started = new ArrayList<>();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("tidestream-cluster-end").unstarted(() -> endAll(started)));
        try {
            Path place = place();
            startAll(place, started);
            announce(started, place, out);
            CompletableFuture.allOf(started.stream().map(node -> node.ended().thenAccept(code -> tellEnd(node, code, out)))
                    .toArray(CompletableFuture[]::new)).join();
        } catch (IOException e) {
            throw new CliException(Printable.value(Reasons.message(e), REASON_CHARS), e);
        } catch (CompletionException e) {
            endAll(started);
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new CliException(Printable.value(String.valueOf(cause.getMessage()), REASON_CHARS), e);
        }
        return 0;
    }

    private Path place() throws IOException {
        return directory == null ? Files.createTempDirectory("tidestream-cluster-") : Files.createDirectories(directory);
    }

    private void startAll(Path place, List<LocalNode> started) throws IOException {
        Path secret = Files.writeString(place.resolve("secret"), AdminToken.generate() + "\n");
        Path token = Files.writeString(place.resolve("admin.token"), AdminToken.generate() + "\n");
        List<Integer> ports = freePorts(3 * nodes); // of the registry, of the log, and of HTTP between nodes
        String peers = ports.stream().limit(nodes).map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
        String keepers = IntStream.range(0, keepers()).mapToObj(i -> "n%d=127.0.0.1:%d/%d".formatted(
                i + 1, ports.get(nodes + i), ports.get(2 * nodes + i))).collect(Collectors.joining(","));
        for (int i = 0; i < nodes; i++) {
            String name = "n" + (i + 1);
            List<String> command = new ArrayList<>(java());
            command.addAll(List.of("serve", "--port", "0", "--node-id", name, "--roles",
                    i < keepers() ? "gateway,worker,keeper" : "gateway,worker", "--keepers", keepers,
                    "--data-dir", place.resolve(name + "-data").toString(), "--peers", peers,
                    "--cluster-port", ports.get(i).toString(), "--cluster-secret-file", secret.toString(), "--admin-token-file", token.toString(),
                    "--threads", Integer.toString(threads == 0 ? Math.max(1, Runtime.getRuntime().availableProcessors() / nodes) : threads)));
            if (model.path() != null) {
                command.addAll(List.of("--model", model.path().toString()));
            }
            synchronized (started) {
                started.add(LocalNode.start(name, command, place.resolve(name + ".log")));
            }
        }
    }

    /** An odd number, since one more would not survive the loss of one more. */
    private int keepers() {
        return nodes < LEAST_REPLICATED ? 1 : LEAST_REPLICATED;
    }

    /** This very program, with the options of its JVM. */
    private static List<String> java() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path", ""),
                "dev.tidestream.server.cli.Main"));
        return command;
    }

    /** Free a moment ago; all at once, so that they differ. */
    private static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            return sockets.stream().map(ServerSocket::getLocalPort).toList();
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    private static void announce(List<LocalNode> started, Path place, PrintWriter out) {
        for (LocalNode node : started) {
            out.printf("node %s: %s (pid %d)%n", node.name(), node.url().join(), node.pid());
            out.flush();
        }
        String first = started.getFirst().url().join();
        out.printf("try: curl %s/v1/completions -d '{\"prompt\": \"Once upon a time\", \"max_tokens\": 32}'%n", first);
        out.printf("status: tidestream cluster status --url %s --token-file %s%n", first, place.resolve("admin.token"));
        out.printf("logs: %s%n", place);
        out.printf("%d nodes are ready; Ctrl-C ends them%n", started.size());
        out.flush();
    }

    private static void tellEnd(LocalNode node, int code, PrintWriter out) {
        out.printf("node %s has ended: exit code %d%n", node.name(), code);
        out.flush();
    }

    private static void endAll(List<LocalNode> started) {
        List<LocalNode> all;
        synchronized (started) {
            all = List.copyOf(started);
        }
        all.forEach(LocalNode::askToEnd);
        try {
            for (LocalNode node : all) {
                node.end(PATIENCE_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
