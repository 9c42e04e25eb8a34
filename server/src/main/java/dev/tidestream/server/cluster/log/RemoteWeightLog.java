package dev.tidestream.server.cluster.log;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.cluster.blob.BlobCopies;
import dev.tidestream.server.cluster.peer.PeerClient;

/**
 * The log as a node sees it that is no keeper: it asks keepers over HTTP, the next one if one does not answer, and keeps the manifests in
 * memory.
 */
final class RemoteWeightLog implements WeightLog {
    private static final Logger log = LoggerFactory.getLogger(RemoteWeightLog.class);
    private static final Duration ANSWER = Duration.ofSeconds(10);

    private final KeeperConfig config;
    private final PeerClient peers;
    private final Proposals proposals;
    private final Followers followers;
    private final ExecutorService threads =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("tidestream-log-", 0).factory());
    private final Thread reader = Thread.ofPlatform().daemon().name("tidestream-log-reader").unstarted(this::read);
    private final List<Manifest> versions = new ArrayList<>(); // guarded by this, as is state
    private LogState state;
    private final CountDownLatch closed = new CountDownLatch(1);

    private RemoteWeightLog(KeeperConfig config, PeerClient peers, BlobCopies copies) {
        this.config = config;
        this.peers = peers;
        state = new LogState(config.nodeId(), Optional.empty(), 0, config.peers(), -1, Manifest.BASE_VERSION, Manifest.BASE_VERSION, "");
        followers = new Followers(new Followers.Source() {
            @Override
            public List<Manifest> after(long version, int atMost) {
                return RemoteWeightLog.this.after(version, atMost);
            }

            @Override
            public long published() {
                return publishedVersion();
            }
        });
        proposals = new Proposals(config, copies, () -> state().keepers(), this::submit);
    }

    static RemoteWeightLog start(KeeperConfig config, PeerClient peers, BlobCopies copies) {
        RemoteWeightLog remote = new RemoteWeightLog(config, peers, copies);
        remote.reader.start();
        return remote;
    }

    private synchronized List<Manifest> after(long version, int atMost) {
        int from = Math.clamp(version - Manifest.BASE_VERSION, 0, versions.size());
        return List.copyOf(versions.subList(from, (int) Math.min(versions.size(), (long) from + atMost)));
    }

    private void read() {
        boolean answered = true;
        while (closed.getCount() > 0) {
            LogState known = state();
            try {
                String path = "%s?after=%d&published=%d&wait_ms=%d".formatted(
                        LogEndpoint.PATH, committedVersion(), known.publishedVersion(), answered ? LogEndpoint.MAX_WAIT_MS : 0);
                Duration patience = ANSWER.plusMillis(LogEndpoint.MAX_WAIT_MS);
                take(LogJson.news(ask(known.keepers(), keeper -> peers.request(keeper.http(), path, patience).GET())));
                answered = true;
            } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
                if (answered && closed.getCount() > 0) {
                    log.warn("no keeper answers, and this node goes on with the versions that it has: reason={}", Reasons.of(e));
                }
                answered = false;
                rest();
            }
        }
    }

    private void take(LogJson.News news) {
        synchronized (this) {
            for (Manifest manifest : news.versions()) {
                if (manifest.baseVersion() == Manifest.BASE_VERSION + versions.size()) {
                    versions.add(manifest);
                }
            }
            LogState told = news.state();
            state = new LogState(config.nodeId(), told.leader(), told.term(), told.keepers().isEmpty() ? config.peers() : told.keepers(),
                    told.lastIndex(), told.committedVersion(), Math.max(state.publishedVersion(), told.publishedVersion()), told.digest());
        }
        followers.changed();
    }

    private void rest() {
        try {
            var _ = closed.await(config.timing().retry().toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            closed.countDown();
        }
    }

    /** Asks one after the other. */
    private byte[] ask(List<Keeper> keepers, Function<Keeper, HttpRequest.Builder> request) throws IOException {
        IOException failure = new IOException("no keeper answers: asked=" + keepers);
        for (Keeper keeper : keepers) {
            try {
                HttpResponse<byte[]> answer = peers.send(request.apply(keeper), HttpResponse.BodyHandlers.ofByteArray());
                if (answer.statusCode() == LogEndpoint.OK) {
                    return answer.body();
                }
                failure.addSuppressed(new IOException("keeper=%s, status=%d, reason=%s".formatted(
                        keeper.id(), answer.statusCode(), new String(answer.body(), StandardCharsets.UTF_8))));
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }

    private CompletableFuture<byte[]> submit(byte[] command) {
        return send(keeper -> peers.request(keeper.http(), LogEndpoint.PATH, config.timing().proposal())
                .POST(HttpRequest.BodyPublishers.ofByteArray(command)));
    }

    private CompletableFuture<byte[]> send(Function<Keeper, HttpRequest.Builder> request) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return ask(state().keepers(), request);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }, threads);
    }

    @Override
    public CompletionStage<Committed> propose(Manifest manifest) {
        return proposals.propose(manifest);
    }

    @Override
    public CompletionStage<Long> publish(long version) {
        return proposals.publish(version);
    }

    @Override
    public synchronized long committedVersion() {
        return Manifest.BASE_VERSION + versions.size();
    }

    @Override
    public synchronized long publishedVersion() {
        return Math.min(state.publishedVersion(), committedVersion());
    }

    @Override
    public Following follow(long afterVersion, Consumer<LogEntry> follower) {
        return followers.follow(afterVersion, follower);
    }

    @Override
    public CompletionStage<LogState> addKeeper(Keeper keeper) {
        return changed(send(any -> peers.request(any.http(), LogEndpoint.KEEPERS, config.timing().proposal())
                .POST(HttpRequest.BodyPublishers.ofString(keeper.toString()))));
    }

    @Override
    public CompletionStage<LogState> removeKeeper(String nodeId) {
        return changed(send(any -> peers.request(any.http(), LogEndpoint.KEEPERS + "/" + nodeId, config.timing().proposal()).DELETE()));
    }

    private static CompletionStage<LogState> changed(CompletableFuture<byte[]> answer) {
        return answer.handle((bytes, failure) -> {
            if (failure == null) {
                return LogJson.state(bytes);
            }
            throw new LogRefusedException(AdminErrorCode.NO_QUORUM, "the keepers have not changed: " + Reasons.of(failure), failure);
        });
    }

    @Override
    public synchronized LogState state() {
        return state;
    }

    @Override
    public void close() {
        closed.countDown();
        reader.interrupt();
        followers.close();
        var _ = threads.shutdownNow();
    }
}
