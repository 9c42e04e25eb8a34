package dev.tidestream.server.app;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;

import dev.tidestream.protocol.Protocol;
import dev.tidestream.protocol.admin.AdminProtocol;
import dev.tidestream.server.cluster.ClusterConfig;
import dev.tidestream.server.cluster.NodeRole;
import dev.tidestream.server.transport.AdminAccess;
import dev.tidestream.server.transport.Readiness;
import dev.tidestream.server.transport.ServerVerticle;
import dev.tidestream.server.transport.TransportConfig;
import dev.tidestream.server.transport.TransportStats;

/** A server in this process that listens, whether it computes tokens itself or has workers do that. Any thread may ask, one starts and closes. */
public abstract class RunningServer implements AutoCloseable {
    final Preconditions met;
    final ServerLife life;
    final Vertx vertx;
    final LiveFiles files = new LiveFiles();
    final AtomicReference<Readiness> state = new AtomicReference<>(Readiness.STARTING);
    volatile TransportConfig transport;

    RunningServer(ServerConfig config, Preconditions met, ServerLife life, Vertx vertx) {
        this.met = met;
        this.life = life;
        this.vertx = vertx;
        this.transport = config.transport();
    }

    /**
     * Loads what the roles of the node need, and listens; not ready before {@link #warmUp}. What is thrown is as with
     * {@link TidestreamServer#listen}.
     *
     * @param listener told of the loading
     */
    public static RunningServer listen(ServerConfig config, StartListener listener) {
        ClusterConfig cluster = config.cluster();
        return cluster == null || cluster.is(NodeRole.WORKER)
                ? TidestreamServer.listen(config, listener) : GatewayServer.listen(config, cluster);
    }

    /** Nothing is served from files: no cache of them, which would be a directory that a killed server leaves behind. */
    static Vertx vertx() {
        return Vertx.vertx(new VertxOptions().setFileSystemOptions(
                new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
    }

    abstract ServerVerticle verticle();

    /**
     * Compiles what has to be, then says that it is ready.
     *
     * @throws ServerException if the model makes no token
     */
    public abstract void warmUp();

    /**
     * Gives memory of the heap back while nobody streams, until the server is closed: for a process that does nothing else, since
     * its collector runs for that.
     */
    public abstract void trimHeapWhileIdle();

    /**
     * Takes what a running server can take of a configuration ({@link TransportConfig#withHotPartsOf}, and what the engine takes); the
     * rest needs a restart. Any thread but an event loop; returns when it is in force.
     */
    public void reconfigure(ServerConfig newer) {
        verticle().reconfigure(newer.transport()).toCompletionStage().toCompletableFuture().join();
        transport = transport.withHotPartsOf(newer.transport());
    }

    /** It is going to be closed; readiness says so. Any thread. */
    public void stopping() {
        state.set(Readiness.STOPPING);
    }

    /**
     * Running streams have their grace period; then everything ends: threads, ports, memory, files. A second call does nothing.
     *
     * @throws ServerException if a part could not be closed
     */
    @Override
    public abstract void close();

    /** Where clients stream: {@code ws://HOST:PORT/v1/stream}. */
    public String streamUrl() {
        return address() + Protocol.PATH;
    }

    /** Where administrators come in. */
    public String adminUrl() {
        return address() + AdminProtocol.PATH;
    }

    /**
     * Where HTTP is answered, {@code http://HOST:PORT}; of a server that listens on every address, that of this machine; empty for one
     * that listens on a Unix-domain socket alone.
     */
    public Optional<String> httpUrl() {
        return port() < 0 ? Optional.empty() : Optional.of((transport.tls() == null ? "http://" : "https://")
                + ListenAddress.of(transport).withPort(port()).reachable());
    }

    private String address() {
        return met.address().withPort(port()).url(transport.tls() != null);
    }

    /** The administrators' token, if it was made up for this run. */
    public Optional<String> madeUpToken() {
        return met.tokenMadeUp() ? Optional.of(met.token()) : Optional.empty();
    }

    /** Where it listens; -1 if on a Unix-domain socket alone. */
    public int port() {
        return verticle().actualPort();
    }

    /** Calls back, on a thread of this server, when one of these files has changed. */
    public void watch(List<Path> changing, Runnable changed) {
        files.watch(changing, changed);
    }

    /** Whether there are files that it takes anew when they change: with TLS, a token file, or what is watched. */
    public boolean takesFilesAnew() {
        return files.any();
    }

    /** Takes all these files anew, whether they have changed or not. Any thread; returns at once. */
    public void reloadFiles() {
        files.reloadAll();
    }

    /** What connections hold, and what was refused. Any thread. */
    public TransportStats transportStats() {
        return verticle().stats();
    }

    /** Has certificate and token taken anew when their files change. */
    void watchFiles(ServerConfig config, AdminAccess access) {
        if (config.transport().tls() != null) {
            files.watchTls(config.transport().tls(), verticle());
        }
        if (config.updates().tokenFile() != null) {
            files.watchToken(config.updates().tokenFile(), access);
        }
    }

    void await(Future<?> future) {
        try {
            future.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw met.address().refusal(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException(ServerException.Reason.INTERRUPTED, "interrupted before it could listen on " + met.address(), e);
        }
    }
}
