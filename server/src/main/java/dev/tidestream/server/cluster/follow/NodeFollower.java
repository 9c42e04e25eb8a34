package dev.tidestream.server.cluster.follow;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Reasons;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.service.AgreedVersions;
import dev.tidestream.server.admin.service.DivergedException;
import dev.tidestream.server.admin.service.VersionAgreement;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.cluster.log.ClusterLog;
import dev.tidestream.server.cluster.log.LogEntry;
import dev.tidestream.server.cluster.log.Manifest;
import dev.tidestream.server.cluster.log.WeightLog;

/**
 * Has a node build every version that the keepers have agreed on:
 *
 * <pre>
 * version N committed   fetch its record and its payload    not to be had: again after a while
 *                       build it                            refused (memory, versions alive, disk): again after a while
 *                       compare the result's checksum       another: alarm, and nothing more is built here
 *                       commit it here, serve it
 *                       publish it, if nobody has
 * </pre>
 *
 * One thread of the log follows; any may ask how far it is.
 */
public final class NodeFollower implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeFollower.class);

    private final ClusterLog cluster;
    private final Duration retry;
    private final Runnable alarm;
    private final CountDownLatch closed = new CountDownLatch(1);
    private @Nullable AgreedVersions versions;
    private WeightLog.@Nullable Following following;
    private volatile @Nullable String problem;
    private volatile boolean diverged;

    /**
     * @param retry between two attempts at what could not be done
     * @param alarm told once, by the thread that follows, if this node has diverged
     */
    public NodeFollower(ClusterLog cluster, Duration retry, Runnable alarm) {
        this.cluster = cluster;
        this.retry = retry;
        this.alarm = alarm;
    }

    /** How administrators' changes on this node are agreed on; usable once it follows. */
    public VersionAgreement agreement() {
        return new LogAgreement(cluster, () -> versions().baseSha256(), () -> diverged ? Optional.ofNullable(problem) : Optional.empty());
    }

    private synchronized AgreedVersions versions() {
        AgreedVersions known = versions;
        if (known == null) {
            throw new IllegalStateException("the node does not follow yet");
        }
        return known;
    }

    /** Begins to follow, with what is here already, which is compared. */
    public synchronized void follow(AgreedVersions local) {
        versions = local;
        following = cluster.log().follow(this::entry);
    }

    private void entry(LogEntry entry) {
        try {
            switch (entry) {
                case LogEntry.Version(long version, Manifest manifest) -> version(version, manifest);
                case LogEntry.Published(long version) -> log.info("published for new streams: weights_version={}", version);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void version(long version, Manifest manifest) throws InterruptedException {
        while (!diverged && closed.getCount() > 0) {
            try {
                apply(version, manifest);
                problem = null;
                publish(version);
                return;
            } catch (DivergedException e) {
                diverge(String.valueOf(e.getMessage()));
            } catch (AdminException | IOException e) {
                String reason = "version %d cannot be built here yet: %s".formatted(version, Reasons.of(e));
                if (!reason.equals(problem)) {
                    log.warn("{}; trying again every {} ms", reason, retry.toMillis());
                    problem = reason;
                }
                var _ = closed.await(retry.toMillis(), TimeUnit.MILLISECONDS);
            }
        }
    }

    private void apply(long version, Manifest manifest) throws IOException, AdminException, DivergedException {
        AgreedVersions local = versions();
        if (!local.baseSha256().equals(manifest.baseSha256())) {
            throw new DivergedException("the cluster serves another model: base_sha256=%s, cluster=%s"
                    .formatted(local.baseSha256(), manifest.baseSha256()));
        }
        Optional<Path> payload = Optional.empty();
        Optional<Manifest.Part> part = manifest.part(Manifest.PartKind.PAYLOAD);
        if (part.isPresent() && version > local.current()) {
            payload = Optional.of(cluster.fetch(part.get()));
        }
        if (local.apply(record(version, manifest), payload, manifest.resultSha256())) {
            log.info("applied from the log: weights_version={}, update_id={}, proposer={}",
                    version, manifest.updateId(), manifest.proposer());
        }
    }

    private VersionRecord record(long version, Manifest manifest) throws IOException, DivergedException {
        if (manifest.rollbackTo().isPresent()) {
            return new VersionRecord.RolledBack(version, manifest.baseVersion(), manifest.rollbackTo().getAsLong(), manifest.committedAt());
        }
        Manifest.Part part = manifest.part(Manifest.PartKind.RECORD)
                .orElseThrow(() -> new DivergedException("version %d has no record: update_id=%s".formatted(version, manifest.updateId())));
        try {
            VersionRecord record = VersionRecord.ofJson(Files.readAllBytes(cluster.fetch(part))).at(manifest.committedAt());
            if (record.weightsVersion() != version) {
                throw new DivergedException(
                        "version %d has the record of another: weights_version=%d".formatted(version, record.weightsVersion()));
            }
            return record;
        } catch (IllegalArgumentException e) {
            throw new DivergedException("version %d has no usable record: %s".formatted(version, Reasons.of(e)));
        }
    }

    private void diverge(String reason) {
        problem = reason;
        diverged = true;
        log.error("ALARM: this node has other weights than the cluster, and takes no new streams until it is repaired: node={}, {}",
                cluster.nodeId(), reason);
        alarm.run();
    }

    /** One node suffices; who is late finds it published. */
    private void publish(long version) {
        if (cluster.log().publishedVersion() < version) {
            var _ = cluster.log().publish(version).exceptionally(e -> {
                log.warn("a version could not be published, the next one will be: weights_version={}, reason={}", version, Reasons.of(e));
                return version;
            });
        }
    }

    /** How far this node is. */
    public FollowState state() {
        AgreedVersions local;
        synchronized (this) {
            local = versions;
        }
        return new FollowState(cluster.log().state(), local == null ? Manifest.BASE_VERSION : local.served(),
                Optional.ofNullable(problem), diverged);
    }

    /** Whether this node has diverged. */
    public boolean diverged() {
        return diverged;
    }

    @Override
    public void close() {
        closed.countDown();
        WeightLog.Following ended;
        synchronized (this) {
            ended = following;
        }
        if (ended != null) {
            ended.close();
        }
    }
}
