package dev.tidestream.server.admin.service;

import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.ResultDigest;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.PayloadSpool;
import dev.tidestream.server.admin.store.TensorChange;
import dev.tidestream.server.admin.store.TransactionPayload;
import dev.tidestream.server.admin.store.TransactionSpec;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionHistory;
import dev.tidestream.server.admin.store.VersionRecord;
import dev.tidestream.server.pacing.PacedTeam;

/** The last steps of a change: agreed on, durable, published. Takes over the model, also if it is not committed. */
final class Commits {
    private final VersionAgreement agreement;
    private final ServedModelVersions served;
    private final PacedTeam team;
    private final InstantSource clock = InstantSource.system();

    Commits(VersionAgreement agreement, ServedModelVersions served, PacedTeam team) {
        this.agreement = agreement;
        this.served = served;
        this.team = team;
    }

    /** @throws AdminException {@code invalid_value} if no version can be held here */
    void requireHolding() throws AdminException {
        agreement.requireHolding();
    }

    void update(UpdateLog log, LoadedModel next, PayloadSpool spool) throws AdminException {
        served.commitAndPublish(next, () -> {
            spool.agreedAt(agree(VersionRecord.Updated.of(spool.spec(), clock.instant()), Optional.of(spool.file()),
                    () -> ResultDigest.of(next, Set.of(spool.spec().tensor()), team)));
            return log.commit(spool).weightsVersion();
        });
    }

    /** @param hold whether the version is to be published later, which is for a server by itself */
    VersionRecord.Transaction transaction(
            UpdateLog log, LoadedModel next, TransactionSpec spec, TransactionPayload payload, boolean hold) throws AdminException {
        VersionRecord.Transaction[] made = {null};
        ServedModelVersions.Commit commit = () -> {
            if (!hold) {
                payload.agreedAt(
                        agree(VersionRecord.Transaction.of(spec, clock.instant()), Optional.of(payload.file()), () -> results(spec)));
            }
            made[0] = log.commit(spec, payload, hold);
            return made[0].weightsVersion();
        };
        if (hold) {
            served.commitAndHold(next, commit);
        } else {
            served.commitAndPublish(next, commit);
        }
        return made[0];
    }

    /** Of a tensor that is changed twice, the last. */
    private static String results(TransactionSpec spec) {
        Map<String, String> digests = new LinkedHashMap<>();
        for (TensorChange change : spec.changes()) {
            digests.put(change.tensor(), change.result().orElseThrow().sha256());
        }
        return ResultDigest.of(digests);
    }

    /** @param differing tensors in which the two versions may differ */
    void rollback(UpdateLog log, LoadedModel next, long toVersion, long from, Set<String> differing) throws AdminException {
        served.commitAndPublish(next, () -> {
            Instant at = agree(new VersionRecord.RolledBack(from + 1, from, toVersion, clock.instant()), Optional.empty(),
                    () -> ResultDigest.of(next, differing, team));
            return log.rollback(toVersion, from, at).weightsVersion();
        });
    }

    /** Tensors in which two versions may differ. */
    static Set<String> differing(UpdateLog log, long one, long other) throws AdminException {
        Set<String> differing = VersionHistory.tensors(log.replay(one));
        differing.addAll(VersionHistory.tensors(log.replay(other)));
        return differing;
    }

    private Instant agree(VersionRecord version, Optional<Path> payload, Supplier<String> results) throws AdminException {
        Instant at = agreement.agree(version, payload, results);
        team.awaitBreak();
        return at;
    }
}
