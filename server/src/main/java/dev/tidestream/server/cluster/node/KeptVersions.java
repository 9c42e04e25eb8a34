package dev.tidestream.server.cluster.node;

import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.EpochStatus;
import dev.tidestream.server.epoch.Lease;

/**
 * Keeps versions in memory that streams on other nodes are pinned to, so that these can go on here if their node dies. A version that was
 * current a moment ago is kept, too, until it can be known who needs it. Leases that are held for others are no need of this node's own:
 * else two nodes would keep a version for each other for ever. Any thread.
 */
public final class KeptVersions implements AutoCloseable {
    private static final long KEPT_AFTER_NS = TimeUnit.SECONDS.toNanos(3); // some beats of the registry

    private final CurrentEpoch epochs;
    private final int most;
    private final LongSupplier nanoClock;
    private final Map<Long, Kept> kept = new HashMap<>(); // by version, guarded by this
    private boolean closed; // guarded by this

    private record Kept(Lease lease, long neededNs) {}

    /**
     * Keeps nothing.
     *
     * @param most versions beside the current one; of more the oldest go
     */
    public KeptVersions(CurrentEpoch epochs, int most, LongSupplier nanoClock) {
        this.epochs = epochs;
        this.most = most;
        this.nanoClock = nanoClock;
    }

    /** Looks at what others need now; to be called every while. */
    public synchronized void need(Set<Long> versions) {
        if (closed) {
            return;
        }
        long nowNs = nanoClock.getAsLong();
        long current = epochs.weightsVersion();
        keep(current, nowNs);
        versions.forEach(version -> keep(version, nowNs));
        List<Long> all = kept.keySet().stream().filter(version -> version != current).sorted(Comparator.reverseOrder()).toList();
        Set<Long> room = all.stream().limit(most).collect(Collectors.toSet());
        for (Iterator<Map.Entry<Long, Kept>> each = kept.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<Long, Kept> one = each.next();
            boolean needed = nowNs - one.getValue().neededNs() <= KEPT_AFTER_NS && (one.getKey() == current || room.contains(one.getKey()));
            if (!needed) {
                each.remove();
                one.getValue().lease().close();
            }
        }
    }

    private void keep(long version, long nowNs) {
        Kept before = kept.get(version);
        if (before != null && (version != epochs.weightsVersion() || epochs.isCurrent(before.lease()))) {
            kept.put(version, new Kept(before.lease(), nowNs));
            return;
        }
        Lease lease = epochs.lease(version).orElse(null); // of the newest head, if it is the current version
        if (lease != null) {
            kept.put(version, new Kept(lease, nowNs));
            if (before != null) {
                before.lease().close();
            }
        }
    }

    /** Versions that streams of this node need. */
    public synchronized Set<Long> pinnedHere() {
        Map<Long, Integer> leases = epochs.live().stream().collect(Collectors.groupingBy(EpochStatus::weightsVersion, Collectors.summingInt(EpochStatus::leases)));
        return leases.entrySet().stream().filter(entry -> entry.getValue() > (kept.containsKey(entry.getKey()) ? 1 : 0)).map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    @Override
    public synchronized void close() {
        closed = true;
        kept.values().forEach(one -> one.lease().close());
        kept.clear();
    }
}
