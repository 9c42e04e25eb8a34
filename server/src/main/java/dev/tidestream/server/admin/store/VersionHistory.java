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

    /** The tensors that updates change, each once. */
    public static SortedSet<String> tensors(List<VersionRecord.WithPayload> updates) {
        return updates.stream().flatMap(update -> update.changes().stream()).map(TensorChange::tensor)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The newest committed version, held or not. */
    static long newest(Manifest manifest) {
        return UpdateLog.BASE_VERSION + manifest.versions().size();
    }

    /** The version that is served: the newest that is not held. */
    static long current(Manifest manifest) {
        long version = newest(manifest);
        while (manifest.held().contains(version)) {
            version--;
        }
        return version;
    }

    /** Versions that can be published: those held that are newer than the current one. */
    static SortedSet<Long> held(Manifest manifest) {
        return manifest.held().tailSet(current(manifest));
    }

    /** Those versions that have changed tensors, oldest first. */
    static List<VersionRecord.WithPayload> updates(Manifest manifest) {
        return manifest.versions().stream()
                .filter(VersionRecord.WithPayload.class::isInstance)
                .map(VersionRecord.WithPayload.class::cast)
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
        Deque<ReplayStep> steps = new ArrayDeque<>();
        Set<String> replaced = new HashSet<>();
        long at = version;
        while (at > UpdateLog.BASE_VERSION && !checkpoints.contains(at)) {
            switch (manifest.versions().get((int) (at - UpdateLog.BASE_VERSION - 1))) {
                case VersionRecord.WithPayload update -> {
                    for (TensorChange change : update.changes().reversed()) {
                        addFirst(steps, replaced, new ReplayStep(update, change));
                    }
                    at = update.baseVersion();
                }
                case VersionRecord.RolledBack r -> at = r.toVersion();
            }
        }
        return new ReplayPlan(at, List.copyOf(steps));
    }

    /** @param replaced tensors of which nothing from before these steps is left */
    private static void addFirst(Deque<ReplayStep> steps, Set<String> replaced, ReplayStep step) {
        TensorChange change = step.change();
        if (change.kind() == ChangeKind.COPY) {
            replaced.clear(); // it reads another tensor, as that was then
        } else if (replaced.contains(change.tensor())) {
            return;
        }
        steps.addFirst(step);
        if (change.hidesWhatWasBefore()) {
            replaced.add(change.tensor());
        }
    }

    /**
     * Whether a version's output head is a matrix of its own, which it is not in the model file.
     *
     * @throws AdminException {@code unknown_version}
     */
    static boolean unties(Manifest manifest, long version) throws AdminException {
        return plan(manifest, version, Set.of()).steps().stream().anyMatch(step -> step.change().kind() == ChangeKind.COPY);
    }

    /**
     * Tensors in which a version differs from the model file, or may.
     *
     * @throws AdminException {@code unknown_version}
     */
    static SortedSet<String> changed(Manifest manifest, long version) throws AdminException {
        return plan(manifest, version, Set.of()).steps().stream()
                .map(step -> step.change().tensor()).collect(Collectors.toCollection(TreeSet::new));
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
        for (ReplayStep step : plan(manifest, version, Set.of()).steps()) {
            TensorChange change = step.change();
            content.append(List.of(change.kind(), change.tensor(), change.shape(), change.dtype(), change.rank(), step.version().sha256()));
            if (change.offsetBytes() > 0) {
                content.append(change.offsetBytes());
            }
            content.append('\n');
        }
        return Sha256.of(content.toString().getBytes(StandardCharsets.UTF_8));
    }

    static void requireKnown(Manifest manifest, long version) throws AdminException {
        if (version < UpdateLog.BASE_VERSION || version > newest(manifest)) {
            throw new AdminException(
                    AdminErrorCode.UNKNOWN_VERSION,
                    "no such version: to_version=%d, known=%d..%d".formatted(version, UpdateLog.BASE_VERSION, newest(manifest)));
        }
    }

    /** @throws AdminException {@code stale_base_version} unless the version is the one that is served */
    static void requireCurrent(Manifest manifest, long baseVersion) throws AdminException {
        if (baseVersion != current(manifest)) {
            throw new AdminException(
                    AdminErrorCode.STALE_BASE_VERSION,
                    "the current version is another one: base_version=%d, weights_version=%d".formatted(baseVersion, current(manifest)));
        }
    }

    /** @throws AdminException {@code unknown_version} unless the version is one that a rollback can go to */
    static void requireOlder(Manifest manifest, long version) throws AdminException {
        requireKnown(manifest, version);
        if (version >= current(manifest)) {
            throw new AdminException(
                    AdminErrorCode.UNKNOWN_VERSION,
                    "to_version must be older than the current version: to_version=%d, weights_version=%d"
                            .formatted(version, current(manifest)));
        }
    }

    /** @throws AdminException {@code unknown_version} unless the version is held and can be published */
    public static void requireHeld(SortedSet<Long> held, long current, long version) throws AdminException {
        if (!held.contains(version)) {
            throw new AdminException(
                    AdminErrorCode.UNKNOWN_VERSION,
                    "no version that is held: version=%d, held=%s, weights_version=%d; a rollback brings an older one back"
                            .formatted(version, held, current));
        }
    }

    /**
     * The version that an earlier transmission of this very update has made, if any.
     *
     * @throws AdminException {@code update_conflict} if its {@code update_id} was used for something else
     */
    static Optional<VersionRecord.Updated> findRepeated(Manifest manifest, UpdateSpec spec) throws AdminException {
        Optional<VersionRecord.WithPayload> known = find(manifest, spec.updateId());
        if (known.isEmpty()) {
            return Optional.empty();
        }
        if (known.get() instanceof VersionRecord.Updated update && update.spec().equals(spec)) {
            return Optional.of(update);
        }
        throw conflict(known.get(), "sent=" + spec);
    }

    /** The version of an update's name. */
    static Optional<VersionRecord.WithPayload> find(Manifest manifest, String updateId) {
        return updates(manifest).stream().filter(update -> update.updateId().equals(updateId)).findFirst();
    }

    static AdminException conflict(VersionRecord.WithPayload known, String sent) {
        Object committed = switch (known) {
            case VersionRecord.Updated updated -> updated.spec();
            case VersionRecord.Transaction transaction -> "a transaction, label=" + transaction.spec().label();
        };
        return new AdminException(AdminErrorCode.UPDATE_CONFLICT, "update_id '%s' is version %d, which is another update: committed=%s, %s"
                .formatted(known.updateId(), known.weightsVersion(), committed, sent));
    }
}
