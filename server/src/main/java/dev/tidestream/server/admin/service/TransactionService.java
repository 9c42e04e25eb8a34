package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedMap;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.admin.store.open.OpenPart;
import dev.tidestream.server.admin.store.open.OpenRequest;
import dev.tidestream.server.admin.store.open.OpenTransactions;
import dev.tidestream.server.admin.store.open.PartSpool;
import dev.tidestream.server.pacing.PacedTeam;

/** Takes updates of many tensors: keeps their parts, and has them committed one after the other. */
final class TransactionService implements UpdatesDesk {
    /** A tenth of a millisecond's worth of hashing and writing. */
    private static final int PIECE_BYTES = 64 << 10;

    private final UpdateLog log;
    private final ServedModelVersions served;
    private final PacedTeam team;
    private final Changes changes;
    private final TransactionCommit commits;
    private final AdminEvents events;

    TransactionService(
            UpdateLog log, ServedModelVersions served, PacedTeam team, Changes changes, TransactionCommit commits, AdminEvents events) {
        this.log = log;
        this.served = served;
        this.team = team;
        this.changes = changes;
        this.commits = commits;
        this.events = events;
    }

    private OpenTransactions transactions() {
        return log.transactions();
    }

    @Override
    public Opened open(Opening opening) throws AdminException {
        return counted(() -> {
            Optional<VersionRecord.WithPayload> known = log.find(opening.updateId());
            if (known.isPresent()) {
                return new Opened(committed(known.get()), false);
            }
            OpenRequest request = new OpenRequest(opening.updateId(), opening.baseVersion(), opening.label(),
                    opening.tied().map(tied -> tied.name().toLowerCase(Locale.ROOT)).orElse(""), opening.hold());
            boolean isNew = transactions().find(opening.updateId()).isEmpty();
            if (isNew && opening.baseVersion() != served.weightsVersion()) {
                throw stale(opening.baseVersion());
            }
            return new Opened(state(transactions().open(request)), isNew);
        });
    }

    private AdminException stale(long baseVersion) {
        return new AdminException(AdminErrorCode.STALE_BASE_VERSION, "the current version is another one: base_version=%d, weights_version=%d"
                .formatted(baseVersion, served.weightsVersion()));
    }

    private static UpdateState committed(VersionRecord.WithPayload version) {
        return new UpdateState(version.updateId(), version.baseVersion(), label(version), List.of(), OptionalLong.of(version.weightsVersion()));
    }

    private static String label(VersionRecord.WithPayload version) {
        return switch (version) {
            case VersionRecord.Transaction transaction -> transaction.spec().label();
            case VersionRecord.Updated _ -> "";
        };
    }

    private static UpdateState state(OpenTransactions.State state) {
        List<PartKept> parts = new ArrayList<>();
        for (OpenPart part : state.parts()) {
            parts.add(new PartKept(part.number(), part.sha256(), part.bytes()));
        }
        OpenRequest request = state.request();
        return new UpdateState(request.updateId(), request.baseVersion(), request.label(), parts, OptionalLong.empty());
    }

    @Override
    public UpdateState find(String updateId) throws AdminException {
        Optional<VersionRecord.WithPayload> known = log.find(updateId);
        if (known.isPresent()) {
            return committed(known.get());
        }
        return state(transactions().find(updateId).orElseThrow(() -> unknown(updateId)));
    }

    private static AdminException unknown(String updateId) {
        return new AdminException(AdminErrorCode.UNKNOWN_UPDATE, "no update of this name is open or committed: update_id=" + updateId);
    }

    @Override
    public Optional<PartUpload> receive(String updateId, int number, String sha256, long byteLength) throws AdminException {
        return counted(() -> {
            if (log.find(updateId).isPresent()) {
                throw new AdminException(AdminErrorCode.UPDATE_CONFLICT, "the update is committed: update_id=" + updateId);
            }
            return transactions().receive(updateId, number, sha256, byteLength).map(Receiving::new);
        });
    }

    /** A part that comes. */
    private final class Receiving implements PartUpload {
        private final PartSpool spool;
        private final PacedTeam.Pieces pieces = team.pieces();

        Receiving(PartSpool spool) {
            this.spool = spool;
        }

        @Override
        public void accept(ByteBuffer chunk) throws AdminException {
            int end = chunk.limit();
            try {
                while (chunk.hasRemaining()) {
                    pieces.next(0);
                    long startNs = System.nanoTime();
                    spool.accept(chunk.limit(Math.min(end, chunk.position() + PIECE_BYTES)));
                    pieces.worked(System.nanoTime() - startNs);
                    chunk.limit(end);
                }
            } finally {
                chunk.limit(end).position(end);
                pieces.rest();
            }
        }

        @Override
        public void finish() throws AdminException {
            spool.finish();
        }

        @Override
        public void close() {
            spool.close();
        }
    }

    @Override
    public Committed commit(String updateId, OptionalInt parts, Optional<String> manifestSha256) throws AdminException {
        return counted(() -> {
            Optional<VersionRecord.WithPayload> known = log.find(updateId);
            return known.isPresent() ? repeated(known.get(), manifestSha256)
                    : changes.run(() -> commitNow(updateId, parts, manifestSha256));
        });
    }

    private Committed repeated(VersionRecord.WithPayload known, Optional<String> manifestSha256) throws AdminException {
        if (!(known instanceof VersionRecord.Transaction transaction)
                || (manifestSha256.isPresent() && !manifestSha256.get().equals(transaction.spec().requestSha256()))) {
            throw new AdminException(AdminErrorCode.UPDATE_CONFLICT, "update_id '%s' is version %d, which is another update"
                    .formatted(known.updateId(), known.weightsVersion()));
        }
        return committed(transaction, true);
    }

    private Committed committed(VersionRecord.Transaction version, boolean repeated) {
        SequencedMap<String, Long> changed = new LinkedHashMap<>();
        version.changes().forEach(change ->
                changed.merge(change.tensor(), change.result().map(TensorChange.Result::changedRows).orElse(0L), Long::sum));
        return new Committed(version.weightsVersion(), version.spec().label(), version.byteLength(), changed, repeated,
                log.held().contains(version.weightsVersion()));
    }

    private Committed commitNow(String updateId, OptionalInt parts, Optional<String> manifestSha256) throws AdminException {
        Optional<VersionRecord.WithPayload> known = log.find(updateId); // by whoever was before us
        if (known.isPresent()) {
            return repeated(known.get(), manifestSha256);
        }
        OpenTransactions.State state = transactions().committing(updateId);
        boolean committed = false;
        try {
            requireComplete(state, parts, manifestSha256);
            if (state.request().baseVersion() != served.weightsVersion()) {
                throw stale(state.request().baseVersion());
            }
            VersionRecord.Transaction version = commits.run(state);
            committed = true;
            events.updateCommitted();
            return committed(version, false);
        } finally {
            if (committed) {
                transactions().committed(updateId);
            } else {
                transactions().notCommitted(updateId);
            }
        }
    }

    private static void requireComplete(OpenTransactions.State state, OptionalInt parts, Optional<String> manifestSha256)
            throws AdminException {
        int received = state.parts().size();
        if (received == 0 || (parts.isPresent() && parts.getAsInt() != received)) {
            throw new AdminException(AdminErrorCode.INCOMPLETE, "parts are missing, or there are too many: received=%s, parts=%s".formatted(
                    state.parts().stream().map(OpenPart::number).toList(), parts.isPresent() ? parts.getAsInt() : "at least 1"));
        }
        if (manifestSha256.isPresent() && !manifestSha256.get().equals(state.manifestSha256())) {
            throw new AdminException(AdminErrorCode.INCOMPLETE, "the parts are others: manifest_sha256=%s, received=%s"
                    .formatted(manifestSha256.get(), state.manifestSha256()));
        }
    }

    @Override
    public void abort(String updateId) throws AdminException {
        Optional<VersionRecord.WithPayload> known = log.find(updateId);
        if (known.isPresent()) {
            throw new AdminException(AdminErrorCode.UPDATE_CONFLICT, "the update is version %d, and cannot be given up: update_id=%s"
                    .formatted(known.get().weightsVersion(), updateId));
        }
        transactions().abort(updateId);
    }

    private <T> T counted(Changes.Change<T> part) throws AdminException {
        try {
            return part.run();
        } catch (AdminException e) {
            events.updateRefused(e.code());
            throw e;
        }
    }
}
