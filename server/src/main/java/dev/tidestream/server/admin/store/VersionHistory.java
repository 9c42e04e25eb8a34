package dev.tidestream.server.admin.store;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.directory.Sha256;

/** What can be read off a {@link Manifest}, which is immutable: any thread. {@link UpdateLog} makes the next one. */
public final class VersionHistory {
    private VersionHistory() {}

    /** The newest committed version. */
    static long current(Manifest manifest) {
        return UpdateLog.BASE_VERSION + manifest.versions().size();
    }

    /** Those versions that are updates, oldest first. */
    static List<VersionRecord.Updated> updates(Manifest manifest) {
        return manifest.versions().stream()
                .filter(VersionRecord.Updated.class::isInstance)
                .map(VersionRecord.Updated.class::cast)
                .toList();
    }

    /**
     * How to come to a version.
     *
     * @param checkpoints versions that need not be rebuilt
     * @throws AdminException {@code unknown_version}
     */
    static ReplayPlan plan(Manifest manifest, long version, Set<Long> checkpoints) throws AdminException {
        requireKnown(manifest, version);
        Deque<VersionRecord.Updated> updates = new ArrayDeque<>();
        Set<String> replaced = new HashSet<>();
        long at = version;
        while (at > UpdateLog.BASE_VERSION && !checkpoints.contains(at)) {
            switch (manifest.versions().get((int) (at - UpdateLog.BASE_VERSION - 1))) {
                case VersionRecord.Updated u -> {
                    if (!replaced.contains(u.spec().tensor())) {
                        updates.addFirst(u);
                    }
                    switch (u.spec().kind()) {
                        case REPLACE -> replaced.add(u.spec().tensor());
                        case ROWS, DELTA, LOW_RANK -> { }
                    }
                    at = u.baseVersion();
                }
                case VersionRecord.RolledBack r -> at = r.toVersion();
            }
        }
        return new ReplayPlan(at, List.copyOf(updates));
    }

    /**
     * Tensors in which a version differs from the model file, or may.
     *
     * @throws AdminException {@code unknown_version}
     */
    static SortedSet<String> changed(Manifest manifest, long version) throws AdminException {
        return plan(manifest, version, Set.of()).updates().stream()
                .map(update -> update.spec().tensor()).collect(Collectors.toCollection(TreeSet::new));
    }

    /** SHA-256 of all that leads up to a version, so that another history is known by it. */
    static String sha256(Manifest manifest, long version) {
        return Sha256.of(new Manifest(manifest.baseSha256(), manifest.versions().subList(0, (int) (version - UpdateLog.BASE_VERSION))).toBytes());
    }

    /**
     * SHA-256 of what a version has been made of the model file by: the same for the same weights, however one came to them.
     *
     * @throws AdminException {@code unknown_version}
     */
    static String contentSha256(Manifest manifest, long version) throws AdminException {
        StringBuilder content = new StringBuilder();
        for (VersionRecord.Updated update : plan(manifest, version, Set.of()).updates()) {
            UpdateSpec spec = update.spec();
            content.append(List.of(spec.kind(), spec.tensor(), spec.shape(), spec.dtype(), spec.rank(), spec.sha256())).append('\n');
        }
        return Sha256.of(content.toString().getBytes(StandardCharsets.UTF_8));
    }

    static void requireKnown(Manifest manifest, long version) throws AdminException {
        if (version < UpdateLog.BASE_VERSION || version > current(manifest)) {
            throw new AdminException(
                    AdminErrorCode.UNKNOWN_VERSION,
                    "no such version: to_version=%d, known=%d..%d".formatted(version, UpdateLog.BASE_VERSION, current(manifest)));
        }
    }

    /**
     * The version that an earlier transmission of this very update has made, if any.
     *
     * @throws AdminException {@code update_conflict} if its {@code update_id} was used for something else
     */
    static Optional<VersionRecord.Updated> findRepeated(Manifest manifest, UpdateSpec spec) throws AdminException {
        for (VersionRecord.Updated update : updates(manifest)) {
            if (update.spec().updateId().equals(spec.updateId())) {
                if (update.spec().equals(spec)) {
                    return Optional.of(update);
                }
                throw new AdminException(
                        AdminErrorCode.UPDATE_CONFLICT,
                        "update_id '%s' is version %d, which is another update: committed=%s, sent=%s"
                                .formatted(spec.updateId(), update.weightsVersion(), update.spec(), spec));
            }
        }
        return Optional.empty();
    }
}
