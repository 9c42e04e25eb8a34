package dev.tidestream.server.scheduler.kv;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;

/** Forgets what was shared of older versions of the weights once nobody computes with these. */
public final class OldPrefixes {
    private final Consumer<LongPredicate> retain;
    private Set<Long> inUse = Set.of();
    private long newest;

    public OldPrefixes(KvCachePool pool) {
        this(pool::retain);
    }

    /** @param retain forgets all other versions */
    OldPrefixes(Consumer<LongPredicate> retain) {
        this.retain = retain;
    }

    /** A sequence has come, with weights that may be older ones: then {@link #forget} looks again. */
    public void joined(long version) {
        if (version != newest) {
            inUse = Set.of();
        }
    }

    /**
     * Looks again. That costs next to nothing while only the newest version is in use, and little while the same versions are.
     *
     * @param version the newest
     * @param tellVersions tells the version of each sequence
     */
    public void forget(long version, Consumer<LongConsumer> tellVersions) {
        if (version == newest && inUse.size() == 1) {
            return;
        }
        newest = version;
        Set<Long> versions = new HashSet<>();
        versions.add(version);
        tellVersions.accept(versions::add);
        if (!versions.equals(inUse)) {
            inUse = versions;
            retain.accept(versions::contains);
        }
    }
}
