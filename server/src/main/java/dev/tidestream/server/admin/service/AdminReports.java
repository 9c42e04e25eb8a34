package dev.tidestream.server.admin.service;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.TiedWeightStats;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.Precision;
import dev.tidestream.protocol.admin.AdminResult;
import dev.tidestream.server.admin.HeadModes;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.MemoryBudget;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.TransactionSpec;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.UpdateSpec;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.epoch.EpochStatus;

/** What {@code status}, {@code history} and {@code stats} say. Any thread; takes no lock that a change holds. */
final class AdminReports {
    private static final int MAX_HISTORY = 500;

    private final ServedModelVersions served;
    private final Precision precision;
    private final MemoryBudget budget;
    private final @Nullable UpdateLog updates;
    private final Supplier<AdminResult.StreamFigures> runtime;
    private final Supplier<AdminResult.Streams> streams;

    /**
     * @param runtime what other packages know for {@code stats}
     * @param streams what they know for {@code streams}
     */
    AdminReports(
            ServedModelVersions served,
            Precision precision,
            MemoryBudget budget,
            @Nullable UpdateLog updates,
            Supplier<AdminResult.StreamFigures> runtime,
            Supplier<AdminResult.Streams> streams) {
        this.served = served;
        this.precision = precision;
        this.budget = budget;
        this.updates = updates;
        this.runtime = runtime;
        this.streams = streams;
    }

    /** Of this model. */
    AdminResult.Optimization optimization(LoadedModel model) {
        Stream<HeadMode> modes = model.blueprint().tied() ? Stream.of(HeadMode.values()) : Stream.of(HeadMode.PACKED);
        return new AdminResult.Optimization(
                model.blueprint().tied(),
                HeadModes.of(model.headMode()),
                headActivations(model, model.headMode()),
                model.blueprint().vocabularySize(),
                model.blueprint().hiddenSize(),
                bytes(model),
                modes.map(mode -> choice(model, mode)).toList());
    }

    private AdminResult.ModeChoice choice(LoadedModel model, HeadMode mode) {
        long bytes = EpochBuilder.headBytes(model, mode);
        return new AdminResult.ModeChoice(
                HeadModes.of(mode), headActivations(model, mode), bytes, bytes <= budget.freeBytes(model.familyBytes()));
    }

    private String headActivations(LoadedModel model, HeadMode mode) {
        return precision.inHead(model.weights().embedding(), mode).wireName();
    }

    private static AdminResult.TiedBytes bytes(LoadedModel model) {
        TiedWeightStats stats = model.weights().embedding().stats();
        return new AdminResult.TiedBytes(
                stats.embeddingWeightBytes(), stats.transposedWeightBytes(), stats.totalBytes(), stats.optimizationOverhead());
    }

    /** Of all versions alive, of which this is the newest. */
    AdminResult.Weights weights(LoadedModel model) {
        return new AdminResult.Weights(
                Optional.ofNullable(updates).map(AdminReports::durable),
                served.limit().maxLive(),
                served.live().stream().map(AdminReports::live).toList(),
                new AdminResult.Memory(model.familyBytes(), budget.limits().kvBytes(), budget.limits().limitBytes()));
    }

    private static AdminResult.Durable durable(UpdateLog updates) {
        return new AdminResult.Durable(
                updates.baseSha256(), updates.history().size(), updates.rebuilds().checkpoints().stream().sorted().toList());
    }

    private static AdminResult.LiveVersion live(EpochStatus epoch) {
        return new AdminResult.LiveVersion(epoch.weightsVersion(), HeadModes.of(epoch.headMode()), epoch.current(),
                epoch.leases(), epoch.bytes(), epoch.ownBytes());
    }

    /** The newest versions, oldest first: as many as a frame may hold. */
    AdminResult.History history() {
        List<VersionRecord> all = updates == null ? List.of() : updates.history();
        List<VersionRecord> newest = all.subList(Math.max(0, all.size() - MAX_HISTORY), all.size());
        return new AdminResult.History(UpdateLog.BASE_VERSION, all.size(), newest.stream().map(AdminReports::version).toList());
    }

    private static AdminResult.Version version(VersionRecord record) {
        return switch (record) {
            case VersionRecord.Updated(long version, UpdateSpec spec, String _, var committedAt) -> new AdminResult.UpdatedVersion(
                    version, spec.baseVersion(), committedAt, spec.updateId(), spec.tensor(), spec.kind(), spec.shape(), spec.dtype(),
                    spec.byteLength(), spec.sha256());
            case VersionRecord.Transaction(long version, TransactionSpec spec, String _, var committedAt) ->
                new AdminResult.TransactionVersion(version, spec.baseVersion(), committedAt, spec.updateId(), spec.label(),
                        spec.changes().stream().map(TensorChange::tensor).toList(), spec.byteLength(), spec.sha256());
            case VersionRecord.RolledBack(long version, long baseVersion, long toVersion, var committedAt) ->
                new AdminResult.RolledBackVersion(version, baseVersion, committedAt, toVersion);
        };
    }

    /** Waits for the end of a step. */
    AdminResult.Streams streams() {
        return streams.get();
    }

    AdminResult.Stats stats(LoadedModel model) {
        return new AdminResult.Stats(runtime.get(), optimization(model), weights(model));
    }
}
