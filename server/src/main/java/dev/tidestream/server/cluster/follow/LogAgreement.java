package dev.tidestream.server.cluster.follow;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.service.VersionAgreement;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.cluster.blob.BlobStore;
import dev.tidestream.server.cluster.log.ClusterLog;
import dev.tidestream.server.cluster.log.Committed;
import dev.tidestream.server.cluster.log.LogRefusedException;
import dev.tidestream.server.cluster.log.Manifest;
import dev.tidestream.server.cluster.log.Manifest.PartKind;

/**
 * Versions are agreed on by the keepers: the record and the payload become blobs, the manifest names them. A record stands there with no
 * time, so that the same update has the same blobs whenever it is sent.
 */
final class LogAgreement implements VersionAgreement {
    private static final Instant NO_TIME = Instant.EPOCH;

    private final ClusterLog cluster;
    private final Supplier<String> baseSha256;
    private final Supplier<Optional<String>> problem;

    /**
     * @param baseSha256 of the model file
     * @param problem why this node has diverged, if it has
     */
    LogAgreement(ClusterLog cluster, Supplier<String> baseSha256, Supplier<Optional<String>> problem) {
        this.problem = problem;
        this.cluster = cluster;
        this.baseSha256 = baseSha256;
    }

    @Override
    public Instant agree(VersionRecord version, Optional<Path> payload, Supplier<String> resultSha256) throws AdminException {
        if (problem.get().isPresent()) {
            throw new AdminException(AdminErrorCode.INTERNAL,
                    "this node has other weights than the cluster, and takes no changes: " + problem.get().get());
        }
        Manifest manifest;
        try {
            manifest = manifest(version, payload, resultSha256.get());
        } catch (IOException e) {
            throw Refusals.ofIo("blobs of version " + version.weightsVersion(), e);
        }
        return committed(manifest).manifest().committedAt();
    }

    private Manifest manifest(VersionRecord version, Optional<Path> payload, String resultSha256) throws IOException {
        String updateId;
        String label = "";
        OptionalLong rollbackTo = OptionalLong.empty();
        switch (version) {
            case VersionRecord.Updated updated -> updateId = updated.updateId();
            case VersionRecord.Transaction transaction -> {
                updateId = transaction.updateId();
                label = transaction.spec().label();
            }
            case VersionRecord.RolledBack back -> {
                updateId = "rollback-" + UUID.randomUUID();
                rollbackTo = OptionalLong.of(back.toVersion());
            }
        }
        return new Manifest(updateId, version.baseVersion(), label, baseSha256.get(), parts(version, payload), resultSha256, rollbackTo,
                cluster.nodeId(), version.committedAt().truncatedTo(ChronoUnit.MILLIS));
    }

    private List<Manifest.Part> parts(VersionRecord version, Optional<Path> payload) throws IOException {
        List<Manifest.Part> parts = new ArrayList<>();
        if (version instanceof VersionRecord.WithPayload made) {
            BlobStore blobs = cluster.blobs();
            byte[] record = made.at(NO_TIME).toJson();
            parts.add(new Manifest.Part(blobs.add(record), record.length, PartKind.RECORD));
            if (payload.isPresent() && made.byteLength() > 0) {
                blobs.add(made.sha256(), payload.get());
                parts.add(new Manifest.Part(made.sha256(), made.byteLength(), PartKind.PAYLOAD));
            }
        }
        return parts;
    }

    private Committed committed(Manifest manifest) throws AdminException {
        try {
            return cluster.log().propose(manifest).toCompletableFuture().get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AdminException(AdminErrorCode.SHUTTING_DOWN, "interrupted while the keepers were asked; send it again", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LogRefusedException refused) {
                throw new AdminException(refused.code(), String.valueOf(refused.getMessage()), refused);
            }
            throw new AdminException(AdminErrorCode.INTERNAL, "the log has failed: update_id=" + manifest.updateId(), e.getCause());
        }
    }
}
