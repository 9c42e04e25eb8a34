package dev.tidestream.server.admin.service;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.ResultDigest;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.PayloadSpool;
import dev.tidestream.server.admin.store.TransactionPayload;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Makes versions that others have agreed on: builds them as if an administrator had sent them here, and commits and publishes them if the
 * bits are those that the others have. One after the other, beside the changes of administrators; any thread, which waits.
 */
public final class AgreedVersions {
    private static final ProgressSink SILENT = (stage, done, of) -> { };
    private static final int PIECE_BYTES = 64 << 10;

    private final UpdateLog log;
    private final ServedModelVersions served;
    private final EpochBuilder builder;
    private final PacedTeam team;
    private final Changes changes;
    private final AdminEvents events;

    AgreedVersions(
            UpdateLog log, ServedModelVersions served, EpochBuilder builder, PacedTeam team, Changes changes, AdminEvents events) {
        this.log = log;
        this.served = served;
        this.builder = builder;
        this.team = team;
        this.changes = changes;
        this.events = events;
    }

    /** The newest version that is kept here. */
    public long current() {
        return log.currentVersion();
    }

    /** The newest version that streams can have here; the same a moment later. */
    public long served() {
        return served.weightsVersion();
    }

    /** SHA-256 of the model file that all versions are changes of. */
    public String baseSha256() {
        return log.baseSha256();
    }

    /** The record of a version that is here. */
    public Optional<VersionRecord> find(long version) {
        return log.history().stream().filter(record -> record.weightsVersion() == version).findFirst();
    }

    /**
     * Makes a version, unless it is here.
     *
     * @param record of the version, with the time that was agreed on
     * @param payload its file, if it has one
     * @param resultSha256 that must come of it
     * @return false if it was here already
     * @throws AdminException what administrators are refused with; nothing has changed, and it may be tried again
     * @throws DivergedException if it is another version here, or comes out with other bits; nothing has changed
     */
    public boolean apply(VersionRecord record, Optional<Path> payload, String resultSha256) throws AdminException, DivergedException {
        DivergedException[] diverged = {null};
        boolean made = changes.runInTurn(() -> {
            Optional<VersionRecord> here = find(record.weightsVersion());
            try {
                if (here.isPresent()) {
                    requireSame(here.get(), record);
                    return false;
                }
                make(record, payload, resultSha256);
                return true;
            } catch (DivergedException e) {
                diverged[0] = e;
                return false;
            }
        });
        if (diverged[0] != null) {
            throw diverged[0];
        }
        return made;
    }

    private static void requireSame(VersionRecord here, VersionRecord agreed) throws DivergedException {
        if (!here.at(agreed.committedAt()).equals(agreed)) {
            throw new DivergedException(
                    "version %d is another one here: here=%s, agreed=%s".formatted(here.weightsVersion(), here, agreed));
        }
    }

    private void make(VersionRecord record, Optional<Path> payload, String resultSha256) throws AdminException, DivergedException {
        served.awaitPlace(SILENT);
        team.awaitBreak();
        switch (record) {
            case VersionRecord.Updated updated -> update(updated, payload, resultSha256);
            case VersionRecord.Transaction transaction -> transaction(transaction, payload, resultSha256);
            case VersionRecord.RolledBack back -> rollBack(back, resultSha256);
        }
    }

    private static Path present(VersionRecord record, Optional<Path> payload) {
        return payload.orElseThrow(() -> new IllegalArgumentException("no payload: weights_version=" + record.weightsVersion()));
    }

    private void update(VersionRecord.Updated record, Optional<Path> payload, String resultSha256)
            throws AdminException, DivergedException {
        try (PayloadSpool spool = log.receive(record.spec())) {
            copy(present(record, payload), spool::accept);
            spool.finish();
            LoadedModel next = builder.update(served.current(), record.spec(), spool.file(), SILENT).model();
            require(record, next, Set.of(record.spec().tensor()), resultSha256);
            spool.agreedAt(record.committedAt());
            served.commitAndPublish(next, () -> log.commit(spool).weightsVersion());
        }
        events.updateCommitted();
    }

    private void transaction(VersionRecord.Transaction record, Optional<Path> payload, String resultSha256)
            throws AdminException, DivergedException {
        try (TransactionPayload written = log.beginPayload(record.updateId(), record.baseVersion(), record.byteLength())) {
            copy(present(record, payload), written::write);
            written.finish();
            LoadedModel next = builder.update(served.current(), record.changes(), written.file(), SILENT).model();
            require(record, next, new TreeSet<>(record.changes().stream().map(change -> change.tensor()).toList()), resultSha256);
            written.agreedAt(record.committedAt());
            served.commitAndPublish(next, () -> log.commit(record.spec(), written, false).weightsVersion());
        }
        events.updateCommitted();
    }

    private void rollBack(VersionRecord.RolledBack record, String resultSha256) throws AdminException, DivergedException {
        Set<String> differing = Commits.differing(log, record.toVersion(), record.baseVersion());
        LoadedModel next = builder.rebuild(log.rebuilds(), served.current(), record.toVersion(), differing, SILENT);
        require(record, next, differing, resultSha256);
        served.commitAndPublish(next, () -> log.rollback(record.toVersion(), record.baseVersion(), record.committedAt()).weightsVersion());
        events.rolledBack();
    }

    /** Closes the model if it is not what was agreed on. */
    private void require(VersionRecord record, LoadedModel model, Set<String> tensors, String resultSha256) throws DivergedException {
        boolean same = false;
        try {
            team.awaitBreak();
            String actual = ResultDigest.of(model, tensors, team);
            if (!actual.equals(resultSha256)) {
                throw new DivergedException("version %d has other bits here: result_sha256=%s, agreed=%s"
                        .formatted(record.weightsVersion(), actual, resultSha256));
            }
            same = true;
        } finally {
            if (!same) {
                model.close();
            }
        }
    }

    /** Takes a piece of a payload. */
    private interface Piece {
        void take(ByteBuffer bytes) throws AdminException;
    }

    private void copy(Path payload, Piece to) throws AdminException {
        PacedTeam.Pieces pieces = team.pieces();
        try (FileChannel file = FileChannel.open(payload, StandardOpenOption.READ)) {
            ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
            while (file.read(piece) >= 0) {
                pieces.next(0);
                long startNs = System.nanoTime();
                to.take(piece.flip());
                piece.clear();
                pieces.worked(System.nanoTime() - startNs);
            }
        } catch (IOException e) {
            throw Refusals.ofIo("payload " + payload.getFileName(), e);
        } finally {
            pieces.rest();
        }
    }
}
