package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.VersionsDesk.Pruned;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.build.TensorCopies;
import dev.tidestream.server.admin.store.RebuildSource;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.checkpoint.CheckpointException;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Drops payloads that only old versions need:
 *
 * <pre>
 * the oldest version to keep: the current one and so many before it, and all that streams hold
 * write a checkpoint of it, and of each later version made of one that is not kept       fsync
 * read them again, and compare them with the tensors in memory
 * commit a manifest that begins there                                                    atomic rename
 * remove the files
 * </pre>
 *
 * Versions that can be published later are newer than the current one, so they are kept. What goes wrong before the commit leaves the
 * history as it was, perhaps with a checkpoint more.
 */
final class Pruning {
    private static final Logger log = LoggerFactory.getLogger(Pruning.class);
    private static final ProgressSink SILENT = (stage, done, of) -> { };

    private final UpdateLog updates;
    private final ServedModelVersions served;
    private final PacedTeam team;
    private final Rebuild rebuild;

    /** Builds a version that is not in memory; the result is the caller's. */
    interface Rebuild {
        LoadedModel of(long version) throws AdminException;
    }

    Pruning(UpdateLog updates, ServedModelVersions served, PacedTeam team, Rebuild rebuild) {
        this.updates = updates;
        this.served = served;
        this.team = team;
        this.rebuild = rebuild;
    }

    private RebuildSource source() {
        return updates.rebuilds();
    }

    /** @param keep versions, the current one among them; serialised by the caller */
    Pruned run(int keep) throws AdminException {
        long oldest = oldest(keep);
        long goneBefore = gone();
        if (oldest <= UpdateLog.BASE_VERSION + 1 || source().isGone(oldest - 1)) {
            return new Pruned(keptFrom(), 0, 0);
        }
        boolean pruned = false;
        try {
            List<Long> bases = source().basesFor(oldest);
            for (long base : bases) {
                writeBase(base);
            }
            long bytes = source().prune(oldest);
            pruned = true;
            long versions = gone() - goneBefore;
            log.info("pruned: kept_from={}, versions={}, bytes={}, checkpoints={}", oldest, versions, bytes, bases);
            return new Pruned(oldest, versions, bytes);
        } finally {
            if (!pruned) {
                source().pruneNothing();
            }
        }
    }

    private long oldest(int keep) {
        long current = served.weightsVersion();
        long held = served.live().stream().filter(epoch -> epoch.leases() > 0).mapToLong(EpochStatus::weightsVersion)
                .filter(version -> version > UpdateLog.BASE_VERSION).min().orElse(current);
        return Math.min(held, current - keep + 1);
    }

    private long gone() {
        return updates.history().stream().filter(record -> source().isGone(record.weightsVersion())).count();
    }

    private long keptFrom() {
        return gone() == 0 ? UpdateLog.BASE_VERSION : UpdateLog.BASE_VERSION + gone() + 1;
    }

    private void writeBase(long version) throws AdminException {
        Optional<Lease> lease = served.lease(version);
        if (lease.isPresent()) {
            try (Lease held = lease.get()) {
                writeBase(version, held.epoch().loaded());
            }
        } else {
            try (LoadedModel rebuilt = rebuild.of(version)) {
                writeBase(version, rebuilt);
            }
        }
    }

    private void writeBase(long version, LoadedModel model) throws AdminException {
        PacedTeam.Pieces pieces = team.pieces();
        try {
            source().checkpoint(version, model, CheckpointJob.paced(pieces, () -> false));
        } catch (IOException e) {
            throw Refusals.ofIo("checkpoint of version " + version, e);
        } finally {
            pieces.rest();
        }
        team.awaitBreak();
        requireReadable(version, model);
    }

    /** What it stands in for is about to be removed, so it is not enough that it was written. */
    private void requireReadable(long version, LoadedModel model) throws AdminException {
        Map<String, OwnedTensor> read = new LinkedHashMap<>();
        try {
            read.putAll(source().read(version, model, team, SILENT));
            for (Map.Entry<String, OwnedTensor> tensor : read.entrySet()) {
                if (!TensorCopies.equal(tensor.getValue().tensor(), Refusals.tensor(model, tensor.getKey()))) {
                    throw new CheckpointException(version, "tensor %s has other bits".formatted(tensor.getKey()), null);
                }
            }
        } catch (CheckpointException e) {
            source().pruneNothing();
            source().refuse(e);
            throw new AdminException(AdminErrorCode.INTERNAL,
                    "the checkpoint of version %d cannot be read: %s".formatted(version, e.getMessage()), e);
        } finally {
            read.values().forEach(OwnedTensor::close);
        }
    }
}
