package dev.tidestream.server.scheduler.kv;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** Forgets what was shared of older versions of the weights once nobody computes with these. */
public final class OldPrefixes {
    private final KvCachePool pool;
    private long newest;
    private boolean inUse; // others than the newest

    public OldPrefixes(KvCachePool pool) {
        this.pool = pool;
    }

    /**
     * Looks again, which costs next to nothing while only the newest version is in use.
     *
     * @param version the newest
     * @param tellVersions tells the version of each sequence
     */
    public void forget(long version, Consumer<LongConsumer> tellVersions) {
        if (version == newest && !inUse) {
            return;
        }
        newest = version;
        Set<Long> versions = new HashSet<>();
        versions.add(version);
        tellVersions.accept(versions::add);
        pool.retain(versions::contains);
        inUse = versions.size() > 1;
    }
}
