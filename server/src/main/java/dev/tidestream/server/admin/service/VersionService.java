package dev.tidestream.server.admin.service;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.model.tied.HeadVerifier;
import dev.tidestream.model.tied.HiddenStates;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.transformer.OwnedTensor;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.AdminRequest;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.Refusals;
import dev.tidestream.server.admin.VersionsDesk;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.build.TensorDigest;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionHistory;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.pacing.PacedTeam;

/** Answers what is asked of versions, on disk and in memory. */
final class VersionService implements VersionsDesk {
    private static final ProgressSink SILENT = (stage, done, of) -> { };

    private final @Nullable UpdateLog log;
    private final ServedModelVersions served;
    private final EpochBuilder builder;
    private final ModelLoader file;
    private final PacedTeam team;
    private final Changes changes;
    private final HiddenStates recent;
    private final Rollback rollback;

    /** Makes a version with the weights of an older one. */
    interface Rollback {
        long to(AdminRequest.WeightsRollback request) throws AdminException;
    }

    /**
     * @param log null if no versions are kept
     * @param file the base of all versions
     * @param recent hidden states of streams, to compare heads on
     */
    VersionService(@Nullable UpdateLog log, ServedModelVersions served, EpochBuilder builder, ModelLoader file, PacedTeam team,
            Changes changes, HiddenStates recent, Rollback rollback) {
        this.log = log;
        this.served = served;
        this.builder = builder;
        this.file = file;
        this.team = team;
        this.changes = changes;
        this.recent = recent;
        this.rollback = rollback;
    }

    private List<VersionRecord> history() {
        return log == null ? List.of() : log.history();
    }

    @Override
    public List<VersionInfo> list(long from, int limit) {
        List<EpochStatus> live = served.live();
        List<VersionInfo> all = new ArrayList<>();
        if (from <= UpdateLog.BASE_VERSION) {
            all.add(base(live));
        }
        for (VersionRecord record : history()) {
            if (record.weightsVersion() >= from && all.size() < limit) {
                all.add(info(record, live));
            }
        }
        return all;
    }

    @Override
    public VersionInfo find(long version) throws AdminException {
        return list(version, 1).stream().filter(info -> info.version() == version).findFirst().orElseThrow(() -> unknown(version));
    }

    private AdminException unknown(long version) {
        return new AdminException(AdminErrorCode.UNKNOWN_VERSION, "no such version: version=%d, known=%d..%d"
                .formatted(version, UpdateLog.BASE_VERSION, UpdateLog.BASE_VERSION + history().size()));
    }

    private VersionInfo base(List<EpochStatus> live) {
        return info(UpdateLog.BASE_VERSION, OptionalLong.empty(), "base", "", "", Optional.empty(), 0, OptionalLong.empty(), List.of(), live);
    }

    private VersionInfo info(VersionRecord record, List<EpochStatus> live) {
        OptionalLong parent = OptionalLong.of(record.baseVersion());
        Optional<Instant> created = Optional.of(record.committedAt());
        long version = record.weightsVersion();
        return switch (record) {
            case VersionRecord.Updated u -> info(version, parent, "update", u.updateId(), "", created, u.byteLength(),
                    OptionalLong.empty(), u.changes(), live);
            case VersionRecord.Transaction t -> info(version, parent, "transaction", t.updateId(), t.spec().label(), created,
                    t.byteLength(), OptionalLong.empty(), t.changes(), live);
            case VersionRecord.RolledBack r -> info(version, parent, "rollback", "", "", created, 0,
                    OptionalLong.of(r.toVersion()), List.of(), live);
        };
    }

    private VersionInfo info(long version, OptionalLong parent, String kind, String updateId, String label,
            Optional<Instant> created, long bytes, OptionalLong to, List<TensorChange> changes, List<EpochStatus> live) {
        SequencedMap<String, String> checksums = new LinkedHashMap<>();
        changes.forEach(change -> change.result().ifPresent(result -> checksums.put(change.tensor(), result.sha256())));
        List<EpochStatus> own = live.stream().filter(epoch -> epoch.weightsVersion() == version).toList();
        return new VersionInfo(version, parent, kind, updateId, label, created, bytes, to, checksums,
                changes.stream().map(TensorChange::tensor).distinct().toList(), !own.isEmpty(),
                own.stream().anyMatch(EpochStatus::current), own.stream().mapToInt(EpochStatus::leases).sum(),
                log != null && log.held().contains(version));
    }

    @Override
    public long rollback(long to) throws AdminException {
        return rollback.to(new AdminRequest.WeightsRollback("http", to));
    }

    @Override
    public Verified verify(long version) throws AdminException {
        find(version);
        return changes.run(() -> {
            Optional<Lease> lease = served.lease(version);
            if (lease.isPresent()) {
                try (Lease held = lease.get()) {
                    return verify(version, held.epoch().loaded());
                }
            }
            try (LoadedModel rebuilt = rebuild(version)) {
                return verify(version, rebuilt);
            }
        });
    }

    private Set<String> changed(long version) throws AdminException {
        return log == null ? Set.of() : VersionHistory.tensors(log.replay(version));
    }

    private LoadedModel rebuild(long version) throws AdminException {
        UpdateLog versions = log;
        if (versions == null) {
            throw unknown(version);
        }
        team.awaitBreak();
        Set<String> differing = changed(version);
        differing.addAll(changed(served.weightsVersion()));
        return builder.rebuild(versions.rebuilds(), served.current(), version, differing, SILENT);
    }

    private Verified verify(long version, LoadedModel model) throws AdminException {
        Map<String, String> kept = kept(version);
        Set<String> changed = changed(version);
        List<String> different = new ArrayList<>();
        long bytes = 0;
        try (LoadedModel fresh = changed.isEmpty() ? served.current().successor(Map.of(), null) : rebuild(version)) {
            for (String name : model.tensorNames()) {
                team.awaitBreak();
                String sha256 = TensorDigest.of(Refusals.tensor(model, name), team);
                String expected = changed.contains(name) || !file.has(name)
                        ? TensorDigest.of(Refusals.tensor(fresh, name), team) : ofFile(name);
                bytes += Refusals.tensor(model, name).bytes();
                if (!sha256.equals(expected) || !kept.getOrDefault(name, sha256).equals(sha256)) {
                    different.add(name);
                }
                team.rest();
            }
        }
        return new Verified(version, model.tensorNames().size(), bytes, different, derived(model));
    }

    private String ofFile(String name) {
        try (OwnedTensor tensor = file.read(name, team)) {
            return TensorDigest.of(tensor.tensor(), team);
        }
    }

    /** Checksums of the last change of each tensor on the way to a version. */
    private Map<String, String> kept(long version) throws AdminException {
        Map<String, String> kept = new LinkedHashMap<>();
        if (log != null) {
            for (VersionRecord.WithPayload update : log.replay(version)) {
                for (TensorChange change : update.changes()) {
                    kept.remove(change.tensor());
                    change.result().ifPresent(result -> kept.put(change.tensor(), result.sha256()));
                }
            }
        }
        return kept;
    }

    /** The head's layout against one that is made anew of the same tensors: the same arithmetic, so the same bits. */
    private String derived(LoadedModel model) throws AdminException {
        HeadMode mode = model.headMode();
        if (mode == HeadMode.PACKED) {
            return "none";
        }
        EmbeddingLayer head = model.weights().embedding();
        float[] hidden = recent.snapshot(); // (rows, H)
        if (hidden.length == 0) {
            hidden = HeadToggle.synthetic(head.hiddenSize());
        }
        try (EmbeddingLayer fresh = builder.head(model, mode)) {
            return HeadVerifier.compare(head, fresh, hidden, hidden.length / head.hiddenSize(), team).maxDelta() == 0 ? "equal" : "different";
        }
    }
}
