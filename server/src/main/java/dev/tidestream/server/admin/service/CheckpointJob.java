package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.CheckpointPolicy;
import dev.tidestream.server.admin.store.RebuildSource;
import dev.tidestream.server.admin.store.checkpoint.CheckpointWriter;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Writes a checkpoint of the served version once a start would have to apply too many updates. Beside streams it works in step breaks
 * only, as a builder does, in pieces of a tenth of a millisecond, and it makes no change wait: the version that it writes is held
 * by a lease of its own, so its memory stays until it is written. What goes wrong is logged, and tried again after the next change.
 */
final class CheckpointJob {
    private static final Logger log = LoggerFactory.getLogger(CheckpointJob.class);

    private final RebuildSource rebuilds;
    private final ServedModelVersions served;
    private final ReentrantLock changes;
    private final PacedTeam team;
    private final CheckpointPolicy policy;
    private final AdminEvents events;

    /** @param changes held by whoever changes what is served */
    CheckpointJob(
            RebuildSource rebuilds,
            ServedModelVersions served,
            ReentrantLock changes,
            PacedTeam team,
            CheckpointPolicy policy,
            AdminEvents events) {
        this.rebuilds = rebuilds;
        this.served = served;
        this.changes = changes;
        this.team = team;
        this.policy = policy;
        this.events = events;
    }

    /**
     * Writes one if it is due; one thread at a time.
     *
     * @param givenUp ends it early, and leaves nothing behind
     */
    void run(BooleanSupplier givenUp) {
        if (!changes.tryLock()) {
            return; // whoever changes something calls again afterwards
        }
        long version;
        LoadedModel model;
        try {
            version = served.weightsVersion();
            if (!policy.demands(rebuilds.plan(version))) {
                return;
            }
            model = served.current().successor(Map.of(), null);
        } catch (AdminException e) {
            throw new IllegalStateException("the served version is known", e);
        } finally {
            changes.unlock();
        }
        try (model) {
            write(version, model, givenUp);
        }
    }

    /** Writes each piece in its turn. */
    static CheckpointWriter.Pacer paced(PacedTeam.Pieces pieces, BooleanSupplier givenUp) {
        return piece -> {
            if (givenUp.getAsBoolean()) {
                return false;
            }
            pieces.next(0);
            long startNs = System.nanoTime();
            piece.write();
            pieces.worked(System.nanoTime() - startNs);
            return true;
        };
    }

    private void write(long version, LoadedModel model, BooleanSupplier givenUp) {
        PacedTeam.Pieces pieces = team.pieces();
        long startNs = System.nanoTime();
        try {
            boolean written = rebuilds.checkpoint(version, model, paced(pieces, givenUp));
            if (written) {
                events.checkpointWritten();
                log.info("checkpoint: weights_version={}, took_ms={}", version, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
            }
        } catch (IOException | AdminException e) {
            events.checkpointFailed();
            log.warn("checkpoint could not be written; starts apply all updates since the one before: weights_version={}: {}",
                    version, e.getMessage());
        } finally {
            pieces.rest();
        }
    }
}
