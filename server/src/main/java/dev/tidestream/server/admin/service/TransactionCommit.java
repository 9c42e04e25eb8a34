package dev.tidestream.server.admin.service;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.architecture.Tie;
import dev.tidestream.model.patch.PatchResult;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.UpdatesDesk.Tied;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.build.TensorDigest;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.TransactionPayload;
import dev.tidestream.server.admin.store.TransactionSpec;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.admin.store.open.OpenTransactions;
import dev.tidestream.server.admin.transaction.ChangePlanner;
import dev.tidestream.server.admin.transaction.MappedParts;
import dev.tidestream.server.admin.transaction.PayloadOut;
import dev.tidestream.server.admin.transaction.PlannedChange;
import dev.tidestream.server.admin.transaction.TieResolution;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Makes a transaction whose parts are there the next version:
 *
 * <pre>
 * map the parts, find tensors by their names     refused: whatever is wrong with them
 * what becomes of head and embedding             refused: tie_conflict
 * write all changes into one payload, force it
 * build the next model beside the served one     refused: non_finite, budget_exceeded, …
 * commit payload and manifest, publish, or hold
 * </pre>
 *
 * Serialised by the caller; what is refused leaves model, disk and streams as they were.
 */
final class TransactionCommit {
    private static final ProgressSink SILENT = (stage, done, of) -> { };

    private final UpdateLog log;
    private final ServedModelVersions served;
    private final EpochBuilder builder;
    private final PacedTeam team;
    private final HeldVersions held;
    private final Commits commits;
    private final boolean separate;

    /**
     * @param held makes room for a version that is to be published later
     * @param commits does the last steps
     * @param file the base of all versions
     */
    TransactionCommit(
            UpdateLog log, ServedModelVersions served, EpochBuilder builder, PacedTeam team, HeldVersions held, Commits commits,
            ModelLoader file) {
        this.commits = commits;
        this.log = log;
        this.served = served;
        this.builder = builder;
        this.team = team;
        this.held = held;
        this.separate = file.tie().storedTwice() && file.source().metadata().findBool(Tie.KEY).equals(Optional.of(false));
    }

    VersionRecord.Transaction run(OpenTransactions.State state) throws AdminException {
        try (Lease base = held.lease(state.request().baseVersion())) {
            if (state.request().hold()) {
                commits.requireHolding();
                held.makeRoom();
            }
            served.awaitPlace(SILENT);
            return run(state, base.epoch().loaded());
        }
    }

    /** @param current the model that is changed */
    private VersionRecord.Transaction run(OpenTransactions.State state, LoadedModel current) throws AdminException {
        try (MappedParts parts = MappedParts.open(state.parts().stream().map(log.transactions()::path).toList())) {
            List<PlannedChange> planned = planned(current, parts);
            List<PlannedChange> resolved = new TieResolution(current, (change, other) -> same(current, state, change, other))
                    .resolve(planned, tied(state), separate);
            try (TransactionPayload payload = write(state, resolved)) {
                return commit(current, state, changes(resolved), payload);
            }
        }
    }

    private static Optional<Tied> tied(OpenTransactions.State state) {
        String tied = state.request().tied();
        return tied.isEmpty() ? Optional.empty() : Optional.of(Tied.valueOf(tied.toUpperCase(Locale.ROOT)));
    }

    /** Each of another tensor, whatever names were used, but for a tied head and the embedding. */
    private static List<PlannedChange> planned(LoadedModel current, MappedParts parts) throws AdminException {
        ChangePlanner planner = new ChangePlanner(current);
        Map<String, String> names = new HashMap<>();
        List<PlannedChange> planned = new ArrayList<>();
        for (int i = 0; i < parts.files().size(); i++) {
            for (PlannedChange change : planner.plan(parts.files().get(i))) {
                String other = names.put(change.tensor(), change.name());
                if (other != null) {
                    throw new AdminException(AdminErrorCode.INVALID_VALUE, "tensor is changed twice: tensor=%s, as %s and %s"
                            .formatted(change.tensor(), other, change.name()));
                }
                planned.add(change);
            }
        }
        if (planned.isEmpty()) {
            throw new AdminException(AdminErrorCode.INCOMPLETE, "no part has a tensor");
        }
        return planned;
    }

    private static List<TensorChange> changes(List<PlannedChange> planned) {
        List<TensorChange> changes = new ArrayList<>();
        long offset = 0;
        for (PlannedChange change : planned) {
            changes.add(change.at(offset));
            offset += change.byteLength();
        }
        return changes;
    }

    private TransactionPayload write(OpenTransactions.State state, List<PlannedChange> planned) throws AdminException {
        long bytes = planned.stream().mapToLong(PlannedChange::byteLength).sum();
        TransactionPayload payload = log.beginPayload(state.request().updateId(), state.request().baseVersion(), bytes);
        boolean done = false;
        PacedTeam.Pieces pieces = team.pieces();
        try {
            PayloadOut out = new PayloadOut(piece -> {
                pieces.next(0);
                long startNs = System.nanoTime();
                payload.write(piece);
                pieces.worked(System.nanoTime() - startNs);
            });
            for (PlannedChange change : planned) {
                change.writer().writeTo(out);
            }
            out.flush();
            if (payload.writtenBytes() != bytes) {
                throw new IllegalStateException("payload of %s: bytes=%d, planned=%d"
                        .formatted(state.request().updateId(), payload.writtenBytes(), bytes));
            }
            payload.finish();
            done = true;
            return payload;
        } finally {
            pieces.rest();
            if (!done) {
                payload.close();
            }
        }
    }

    private boolean same(LoadedModel current, OpenTransactions.State state, PlannedChange change, @Nullable PlannedChange other)
            throws AdminException {
        List<PlannedChange> both = other == null ? List.of(change) : List.of(change, other);
        try (TransactionPayload payload = write(state, both)) {
            List<TensorChange> changes = changes(both);
            team.awaitBreak();
            return builder.same(current, changes.getFirst(), other == null ? null : changes.getLast(), payload.file());
        }
    }

    private VersionRecord.Transaction commit(
            LoadedModel current, OpenTransactions.State state, List<TensorChange> changes, TransactionPayload payload)
            throws AdminException {
        team.awaitBreak();
        EpochBuilder.Changed next = builder.update(current, changes, payload.file(), SILENT);
        List<TensorChange> results = new ArrayList<>();
        boolean done = false;
        try {
            for (int i = 0; i < changes.size(); i++) {
                PatchResult patch = next.patches().get(i);
                String sha256 = TensorDigest.of(next.model().tensor(changes.get(i).tensor()).orElseThrow(), team);
                results.add(changes.get(i).with(new TensorChange.Result(patch.changedRows(), sha256)));
            }
            done = true;
        } finally {
            if (!done) {
                next.model().close();
            }
        }
        team.awaitBreak();
        TransactionSpec spec = new TransactionSpec(state.request().updateId(), state.request().baseVersion(), state.request().label(),
                state.manifestSha256(), results, payload.sha256(), payload.writtenBytes());
        return commits.transaction(log, next.model(), spec, payload, state.request().hold());
    }
}
