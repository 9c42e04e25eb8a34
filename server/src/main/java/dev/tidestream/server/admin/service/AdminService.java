package dev.tidestream.server.admin.service;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.patch.LowRankProduct;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedHeads;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.AdminDesk;
import dev.tidestream.server.admin.AdminEvents;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.HeadModes;
import dev.tidestream.server.admin.TrialsDesk;
import dev.tidestream.server.admin.UpdatesDesk;
import dev.tidestream.server.admin.VersionsDesk;
import dev.tidestream.server.admin.build.BuildTime;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.build.SafetensorsPayload;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.PayloadSpool;
import dev.tidestream.server.admin.store.UpdateDirectory;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.VersionHistory;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.canary.Trials;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Does what administrators ask for. Reads answer at once. Changes go one at a time, each through the same steps:
 *
 * <pre>
 * wait for a place among the live versions   refused: too_many_versions
 * check against the memory budget            refused: budget_exceeded
 * build the next model beside the served one refused: whatever is wrong with it
 * verify (toggles), commit to disk (updates) refused: verification_failed, disk_full, …
 * publish: one store, seen by the decode loop between two steps
 * acknowledge
 * </pre>
 *
 * What is refused leaves model, disk and streams as they were.
 */
public final class AdminService implements AdminDesk {
    private static final int PIECE_BYTES = 64 << 10; // a tenth of a millisecond's worth of hashing and writing

    private final ServedModelVersions served;
    private final PacedTeam team;
    private final EpochBuilder builder;
    private final HeadToggle toggle;
    private final @Nullable UpdateLog updates;
    private final @Nullable UpdateDirectory directory;
    private final AdminReports reports;
    private final AdminEvents events;
    private final @Nullable UpdateWarmUp warmUp;
    private final ReentrantLock changes;
    private final Changes turns;
    private final HeldVersions held;
    private final Commits commits;
    private final @Nullable UpdatesDesk transactions;
    private final VersionsDesk versions;
    private final @Nullable CheckpointJob checkpoints;

    AdminService(
            ServedModelVersions served,
            PacedTeam team,
            EpochBuilder builder,
            HeadToggle toggle,
            @Nullable UpdateLog updates,
            @Nullable UpdateDirectory directory,
            AdminReports reports,
            AdminEvents events,
            ReentrantLock changes,
            @Nullable CheckpointJob checkpoints,
            @Nullable UpdateWarmUp warmUp,
            Changes turns,
            HeldVersions held,
            Commits commits,
            @Nullable UpdatesDesk transactions,
            Function<VersionService.Rollback, VersionsDesk> versions) {
        this.served = served;
        this.team = team;
        this.builder = builder;
        this.toggle = toggle;
        this.updates = updates;
        this.directory = directory;
        this.reports = reports;
        this.events = events;
        this.changes = changes;
        this.checkpoints = checkpoints;
        this.warmUp = warmUp;
        this.turns = turns;
        this.held = held;
        this.commits = commits;
        this.transactions = transactions;
        this.versions = versions.apply(request -> rollback(request, (stage, done, of) -> { }).weightsVersion());
    }

    /** Who knows the versions. */
    public VersionsDesk versions() {
        return versions;
    }

    /** Who makes versions that others have agreed on; nobody without a data directory. */
    public Optional<AgreedVersions> agreed() {
        return Optional.ofNullable(updates).map(log -> new AgreedVersions(log, served, builder, team, turns, events));
    }

    /** Who takes updates of many tensors; nobody without a data directory. */
    public Optional<UpdatesDesk> updates() {
        return Optional.ofNullable(transactions);
    }

    /** At the start: has those versions in memory, as far as they fit, that a process before this one has held. */
    public void restoreHeld() {
        held.restore();
    }

    /** Who publishes versions that are held, and tries them out. */
    public TrialsDesk trials(Trials trials) {
        return new TrialService(held, turns, served, trials, builder);
    }

    /**
     * The weights that a restart serves: the newest committed version on top of the model file. Takes over {@code base}, also if it
     * throws.
     *
     * @param team unpaced: nobody streams yet
     * @param progress told of {@code reading} and {@code building}
     * @throws AdminException if the memory budget does not allow it
     */
    public static LoadedModel restore(
            LoadedModel base,
            ModelLoader file,
            UpdateLog updates,
            WorkerTeam team,
            MemoryBudget budget,
            LowRankProduct product,
            ProgressSink progress)
            throws AdminException {
        try (base) {
            EpochBuilder builder = new EpochBuilder(file, team, budget, TiedHeads::build, product);
            long version = updates.currentVersion();
            return builder.rebuild(updates.rebuilds(), base, version, VersionHistory.tensors(updates.replay(version)), progress);
        }
    }

    @Override
    public AdminReply.Ack handle(AdminRequest request, ProgressSink progress) throws AdminException {
        return switch (request) {
            case AdminRequest.OptimizationSet set -> set(set, progress);
            case AdminRequest.WeightsUpdate update -> updateFromFile(update, progress);
            case AdminRequest.WeightsRollback rollback -> rollback(rollback, progress);
            case AdminRequest.OptimizationStatus status -> report(status, reports::optimization);
            case AdminRequest.WeightsStatus status -> report(status, reports::weights);
            case AdminRequest.WeightsHistory history -> ack(history, reports.history());
            case AdminRequest.Stats stats -> report(stats, reports::stats);
            case AdminRequest.Streams streams -> ack(streams, reports.streams());
            case AdminRequest.OfUpdates other -> throw new IllegalArgumentException("for the desk of transactions: " + other);
            case AdminRequest.OfAdapters other -> throw new IllegalArgumentException("for the desk of adapters: " + other);
        };
    }

    /** Version and model are those of one moment. */
    private AdminReply.Ack report(AdminRequest request, Function<LoadedModel, AdminResult> report) {
        ModelEpoch epoch = served.epoch();
        return new AdminReply.Ack(request.ref(), epoch.weightsVersion(), report.apply(epoch.loaded()));
    }

    @Override
    public void maintain(BooleanSupplier givenUp) {
        if (updates != null) {
            updates.transactions().sweep();
        }
        if (checkpoints != null) {
            checkpoints.run(givenUp);
        }
    }

    /** The model that is served. */
    LoadedModel current() {
        return served.current();
    }

    /** The head of the served model: how it computes, and what it costs. */
    public EmbeddingLayer head() {
        return served.current().weights().embedding();
    }

    private AdminReply.Ack ack(AdminRequest request, AdminResult result) {
        return new AdminReply.Ack(request.ref(), served.weightsVersion(), result);
    }

    /**
     * JIT warm-up of updates: runs every kind once, so that the code is compiled before the first real one; see {@link UpdateWarmUp}.
     * Yields within milliseconds: to streams by waiting, to a change by ending. Changes nothing.
     *
     * @param givenUp ends it early; whoever makes it true wakes the thread
     * @return false if it is of no more use: given up, an administrator changes something, or nothing can be updated
     *     without a data directory
     */
    public boolean warmUp(BooleanSupplier givenUp) {
        return warmUp != null && warmUp.pass(served::current, changes, givenUp);
    }

    private AdminReply.Ack set(AdminRequest.OptimizationSet request, ProgressSink progress) throws AdminException {
        try {
            HeadMode mode = HeadModes.of(request.mode());
            AdminReply.Ack ack = turns.run(() -> ack(request, toggle.to(mode, request.verify(), progress)));
            if (ack.result() instanceof AdminResult.ModeChanged) {
                events.modeChanged(mode);
            }
            return ack;
        } catch (AdminException e) {
            events.modeChangeRefused(e.code());
            throw e;
        }
    }

    private UpdateLog log() throws AdminException {
        if (updates == null) {
            throw new AdminException(AdminErrorCode.NO_DATA_DIR,
                    "the server keeps no versions, so it takes no updates: start it with --data-dir DIR");
        }
        return updates;
    }

    /** Does a part of an update, or a rollback. A refusal ends it, so each is counted once; parts of parts must not be counted. */
    private <T> T counted(Changes.Change<T> part) throws AdminException {
        try {
            return part.run();
        } catch (AdminException e) {
            events.updateRefused(e.code());
            throw e;
        }
    }

    @Override
    public UpdateStart begin(AdminRequest.WithFrames frames, ProgressSink progress) throws AdminException {
        if (!(frames instanceof AdminRequest.WeightsUpdate update)) {
            throw new IllegalArgumentException("for the desk of transactions: " + frames);
        }
        return counted(() -> {
            Optional<AdminReply.Ack> repeated = repeated(update);
            return repeated.isPresent() ? new UpdateStart.Repeated(repeated.get()) : new UpdateStart.Receiving(receive(update));
        });
    }

    /** The ack of an update that was applied before; asked before its payload comes. {@link #apply} asks again. */
    private Optional<AdminReply.Ack> repeated(AdminRequest.WeightsUpdate update) throws AdminException {
        return log().findRepeated(UpdateRequests.spec(update)).map(record -> repeated(update, record));
    }

    private Receiving receive(AdminRequest.WeightsUpdate update) throws AdminException {
        UpdateSpec spec = UpdateRequests.spec(update);
        UpdateRequests.requireFit(spec, served.current());
        return new Receiving(update, log().receive(spec));
    }

    private AdminReply.Ack repeated(AdminRequest.WeightsUpdate update, VersionRecord.Updated record) {
        return ack(update, new AdminResult.UpdateRepeated(record.weightsVersion()));
    }

    /** A payload that comes over the channel. */
    private final class Receiving implements Upload {
        private final AdminRequest.WeightsUpdate update;
        private final PayloadSpool spool;
        private final PacedTeam.Pieces pieces = team.pieces();

        Receiving(AdminRequest.WeightsUpdate update, PayloadSpool spool) {
            this.update = update;
            this.spool = spool;
        }

        @Override
        public void accept(ByteBuffer chunk) throws AdminException {
            counted(() -> take(chunk));
        }

        /** The number of bytes. */
        int take(ByteBuffer chunk) throws AdminException {
            int bytes = chunk.remaining();
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
            return bytes;
        }

        @Override
        public AdminReply.Ack finish(ProgressSink progress) throws AdminException {
            return counted(() -> commit(progress));
        }

        AdminReply.Ack commit(ProgressSink progress) throws AdminException {
            spool.finish();
            return turns.run(() -> apply(update, spool, progress));
        }

        @Override
        public void giveUp(AdminErrorCode why) {
            events.updateRefused(why);
        }

        @Override
        public void close() {
            spool.close();
        }
    }

    private AdminReply.Ack updateFromFile(AdminRequest.WeightsUpdate update, ProgressSink progress) throws AdminException {
        String path = update.path();
        if (path == null) {
            throw new IllegalArgumentException("its payload comes in frames: update_id=" + update.updateId());
        }
        return counted(() -> {
            if (directory == null) {
                throw new AdminException(AdminErrorCode.INVALID_PATH,
                        "the server reads no files for updates: path=%s; start it with --update-dir DIR".formatted(path));
            }
            Optional<AdminReply.Ack> repeated = repeated(update);
            if (repeated.isPresent()) {
                return repeated.get();
            }
            try (Receiving upload = receive(update);
                    SafetensorsPayload payload = SafetensorsPayload.open(directory.resolve(path), UpdateRequests.spec(update))) {
                payload.writeTo(upload::take);
                return upload.commit(progress);
            }
        });
    }

    private AdminReply.Ack apply(AdminRequest.WeightsUpdate update, PayloadSpool spool, ProgressSink progress) throws AdminException {
        UpdateLog log = log();
        Optional<VersionRecord.Updated> repeated = log.admit(spool.spec());
        if (repeated.isPresent()) {
            return repeated(update, repeated.get());
        }
        served.awaitPlace(progress);
        BuildTime time = new BuildTime();
        team.awaitBreak();
        EpochBuilder.Updated next = builder.update(served.current(), spool.spec(), spool.file(), progress);
        AdminResult.UpdateApplied applied = UpdateRequests.applied(log.newestVersion() + 1, next.patch(), time.cost());
        team.awaitBreak();
        commits.update(log, next.model(), spool);
        events.updateCommitted();
        return ack(update, applied);
    }

    private AdminReply.Ack rollback(AdminRequest.WeightsRollback request, ProgressSink progress) throws AdminException {
        return counted(() -> {
            AdminReply.Ack ack = turns.run(() -> ack(request, rollBack(request.toVersion(), progress)));
            events.rolledBack();
            return ack;
        });
    }

    private AdminResult.RolledBack rollBack(long toVersion, ProgressSink progress) throws AdminException {
        UpdateLog log = log();
        long from = served.weightsVersion();
        Set<String> differing = Commits.differing(log, toVersion, from);
        log.rebuilds().requireKept(toVersion);
        if (toVersion == from) {
            throw new AdminException(AdminErrorCode.UNKNOWN_VERSION,
                    "to_version must be older than the current version: to_version=%d, weights_version=%d".formatted(toVersion, from));
        }
        served.awaitPlace(progress);
        BuildTime time = new BuildTime();
        team.awaitBreak();
        LoadedModel next = builder.rebuild(log.rebuilds(), served.current(), toVersion, differing, progress);
        AdminResult.RolledBack rolledBack = new AdminResult.RolledBack(toVersion, time.cost());
        team.awaitBreak();
        commits.rollback(log, next, toVersion, from, differing);
        return rolledBack;
    }
}
