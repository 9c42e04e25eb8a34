package dev.tidestream.server.admin.service;

import java.util.List;
import java.util.Optional;
import java.util.SortedSet;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.console.Printable;
import dev.tidestream.model.tied.EmbeddingLayer;
import dev.tidestream.model.tied.TiedWeightException;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminDesk.ProgressSink;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.build.EpochBuilder;
import dev.tidestream.server.admin.build.ServedModelVersions;
import dev.tidestream.server.admin.store.UpdateLog;
import dev.tidestream.server.admin.store.VersionHistory;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.pacing.PacedTeam;

/**
 * Versions that are committed and not served yet. As many of them are in memory as {@code --max-live-versions} leaves beside the current
 * one and the next; others are on disk, and are built again when somebody wants them. Serialised by the caller.
 */
final class HeldVersions {
    private static final Logger log = LoggerFactory.getLogger(HeldVersions.class);
    private static final ProgressSink SILENT = (stage, done, of) -> { };
    private static final int CURRENT_AND_NEXT = 2;

    private final @Nullable UpdateLog updates;
    private final ServedModelVersions served;
    private final EpochBuilder builder;
    private final PacedTeam team;

    /** @param updates null if no versions are kept */
    HeldVersions(@Nullable UpdateLog updates, ServedModelVersions served, EpochBuilder builder, PacedTeam team) {
        this.updates = updates;
        this.served = served;
        this.builder = builder;
        this.team = team;
    }

    private UpdateLog kept() throws AdminException {
        if (updates == null) {
            throw new AdminException(AdminErrorCode.NO_DATA_DIR, "the server keeps no versions: start it with --data-dir DIR");
        }
        return updates;
    }

    /**
     * Makes room in memory for one more: the oldest that nobody uses goes, if need be, and stays on disk.
     *
     * @throws AdminException {@code too_many_versions} if all are in use, or none may be held
     */
    void makeRoom() throws AdminException {
        int most = served.limit().maxLive() - CURRENT_AND_NEXT;
        if (most < 1) {
            throw new AdminException(AdminErrorCode.TOO_MANY_VERSIONS,
                    "a version is held beside the current one and the next: live_versions must be at least %d, limit=%d"
                            .formatted(CURRENT_AND_NEXT + 1, served.limit().maxLive()));
        }
        while (served.held().size() >= most) {
            letGo(leastNeeded());
        }
    }

    private long leastNeeded() throws AdminException {
        SortedSet<Long> held = served.held();
        List<EpochStatus> live = served.live();
        return held.stream().filter(version -> live.stream().allMatch(one -> one.weightsVersion() != version || one.leases() == 0))
                .findFirst().orElseThrow(() -> new AdminException(AdminErrorCode.TOO_MANY_VERSIONS,
                        "all held versions in memory are in use: held=%s, live_versions_limit=%d".formatted(held, served.limit().maxLive())));
    }

    private void letGo(long version) {
        served.letGo(version);
        log.info("a held version leaves memory for a newer one, and stays on disk: weights_version={}", version);
    }

    /** At the start: those that fit, the newest first. What cannot be had is on disk all the same. */
    void restore() {
        if (updates == null) {
            return;
        }
        SortedSet<Long> held = updates.held();
        held.stream().sorted((one, other) -> Long.compare(other, one)).limit(Math.max(0, served.limit().maxLive() - CURRENT_AND_NEXT))
                .forEach(version -> {
                    try {
                        bring(version);
                    } catch (AdminException e) {
                        log.warn("a held version is not in memory: weights_version={}, reason={}", version,
                                Printable.line(String.valueOf(e.getMessage())));
                    } finally {
                        team.rest();
                    }
                });
    }

    /** Has it in memory. */
    private void bring(long version) throws AdminException {
        UpdateLog versions = kept();
        VersionHistory.requireHeld(versions.held(), served.weightsVersion(), version);
        if (served.held().contains(version)) {
            return;
        }
        makeRoom();
        served.awaitPlace(SILENT);
        team.awaitBreak();
        SortedSet<String> differing = VersionHistory.tensors(versions.replay(version));
        differing.addAll(VersionHistory.tensors(versions.replay(served.weightsVersion())));
        LoadedModel model = builder.rebuild(versions.rebuilds(), served.current(), version, differing, SILENT);
        team.awaitBreak();
        served.commitAndHold(model, () -> version);
    }

    /**
     * A lease on a version that is held, or in memory anyway; to be closed by the caller.
     *
     * @throws AdminException {@code unknown_version}, {@code too_many_versions}, {@code budget_exceeded}, {@code no_data_dir}
     */
    Lease lease(long version) throws AdminException {
        Optional<Lease> live = served.lease(version);
        if (live.isPresent()) {
            return live.get();
        }
        bring(version);
        return served.lease(version).orElseThrow(() -> new IllegalStateException("held a moment ago: " + version));
    }

    /** @throws AdminException {@code unknown_version} unless it can be published */
    void require(long version) throws AdminException {
        VersionHistory.requireHeld(kept().held(), served.weightsVersion(), version);
    }

    /**
     * Makes a held version the one that new streams get: durable, then in memory.
     *
     * @return false if it is that already
     * @throws AdminException {@code unknown_version}, {@code too_many_versions}, {@code budget_exceeded}, {@code disk_full}
     */
    boolean publish(long version) throws AdminException {
        UpdateLog versions = kept();
        if (version == served.weightsVersion()) {
            return false;
        }
        bring(version);
        ServedModelVersions.Commit commit = () -> {
            versions.publish(version);
            return version;
        };
        try (Lease lease = lease(version)) {
            LoadedModel next = lease.epoch().loaded();
            LoadedModel current = served.current();
            if (next.headMode() != current.headMode() && next.blueprint().tied() && current.blueprint().tied()) {
                LoadedModel toggled = withHeadOf(current, next);
                team.awaitBreak();
                served.commitAndPublish(toggled, commit);
            } else {
                served.publishHeld(commit);
            }
        }
        return true;
    }

    /** The mode is the server's, and not the version's. */
    private LoadedModel withHeadOf(LoadedModel current, LoadedModel next) throws AdminException {
        served.awaitPlace(SILENT);
        team.awaitBreak();
        EmbeddingLayer head;
        try {
            head = builder.head(next, current.headMode());
        } catch (TiedWeightException e) {
            throw new AdminException(AdminErrorCode.BUDGET_EXCEEDED, String.valueOf(e.getMessage()), e);
        }
        boolean taken = false;
        try {
            LoadedModel toggled = builder.withHead(next, head);
            taken = true;
            return toggled;
        } finally {
            if (!taken) {
                head.close();
            }
        }
    }
}
