package dev.tidestream.server.admin.store;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * From where on versions are kept, once a history was pruned. Payloads up to the oldest kept version are gone; checkpoints stand in for
 * them, which are never removed: one of the oldest kept version, and one of each later version that was made of one that is not kept: a
 * rollback to it, or an update of it, which versions that were held meanwhile may have overtaken.
 *
 * <pre>
 *   1  2  3  4  5  6  7(=3)  8        bases 5 and 7: payloads 2 to 5 are dropped
 *                  ▲         ▲
 * </pre>
 *
 * The model file is always there, so version 1 is always kept. Every other kept version is rebuilt from a base, or from the model file,
 * by payloads newer than the oldest base.
 *
 * @param baseVersions whose checkpoints are needed, ascending; the first is the oldest version kept beside the model file
 */
record Compaction(List<Long> baseVersions) {
    Compaction {
        baseVersions = List.copyOf(baseVersions);
    }

    /**
     * What is needed so that versions from one on can be rebuilt.
     *
     * @param from of the history; newer than the model file
     */
    static Compaction of(List<VersionRecord> versions, long from) {
        List<Long> bases = new ArrayList<>();
        bases.add(from);
        for (VersionRecord version : versions) {
            if (version.weightsVersion() > from && isDropped(madeOf(version), from)) {
                bases.add(version.weightsVersion());
            }
        }
        return new Compaction(bases);
    }

    /** Whose weights it has, or has changed. */
    private static long madeOf(VersionRecord version) {
        return switch (version) {
            case VersionRecord.WithPayload update -> update.baseVersion();
            case VersionRecord.RolledBack back -> back.toVersion();
        };
    }

    private static boolean isDropped(long version, long from) {
        return version > UpdateLog.BASE_VERSION && version < from;
    }

    /** The oldest version that is kept beside the model file. */
    long keptFrom() {
        return baseVersions.getFirst();
    }

    /** Whether a version cannot be rebuilt any more. */
    boolean isGone(long version) {
        return isDropped(version, keptFrom());
    }

    /** Whether the payload of a version, if it had one, was dropped. */
    boolean hasDropped(long version) {
        return version <= keptFrom();
    }

    /**
     * Reads what stands in a manifest.
     *
     * @param baseVersions null if the history was never pruned
     * @throws IllegalArgumentException if it does not go with the versions
     */
    static @Nullable Compaction parse(@Nullable List<@Nullable Long> baseVersions, List<VersionRecord> versions) {
        if (baseVersions == null) {
            return null;
        }
        List<Long> bases = new ArrayList<>();
        for (@Nullable Long base : baseVersions) {
            bases.add(Manifest.present("bases", base));
        }
        Manifest.require(!bases.isEmpty() && bases.getFirst() > UpdateLog.BASE_VERSION
                && bases.getFirst() <= UpdateLog.BASE_VERSION + versions.size(), "bases are no versions: " + bases);
        Compaction read = new Compaction(bases);
        Compaction needed = of(versions, bases.getFirst());
        Manifest.require(read.equals(needed), "bases must be %s: %s".formatted(needed.baseVersions(), bases));
        return read;
    }
}
