package dev.tidestream.server.scheduler.weights;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.server.adapters.AdapterLease;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.scheduler.kv.KvCachePool;

/**
 * What a sequence is computed with: a lease on an epoch, which may be exchanged, and one on an adapter if it has one. Of the decode
 * thread.
 */
public final class SequenceWeights implements AutoCloseable {
    private Lease lease;
    private final @Nullable AdapterLease adapter;
    private boolean onTrial;

    /**
     * Closes both leases when it is closed.
     *
     * @param adapter null for the base alone
     * @param onTrial whether the version is one that is tried, which the client has not asked for
     */
    public SequenceWeights(Lease lease, @Nullable AdapterLease adapter, boolean onTrial) {
        this.lease = lease;
        this.adapter = adapter;
        this.onTrial = onTrial;
    }

    public Lease lease() {
        return lease;
    }

    /** Of the base. */
    public long version() {
        return lease.epoch().weightsVersion();
    }

    /** Null for the base alone. */
    public @Nullable Adapter adapter() {
        return adapter == null ? null : adapter.adapter();
    }

    /** By what its keys and values are told from those of others with the same base weights. */
    public long kvAdapter() {
        return adapter != null && adapter.adapter().changesStates() ? adapter.served().number() : KvCachePool.NO_ADAPTER;
    }

    /** Moves on to the newest epoch, if it has another that is not being tried; whether that has other weights. */
    public boolean follow(CurrentEpoch epochs) {
        if (epochs.isCurrent(lease) || (onTrial && epochs.isTried(lease))) {
            return false;
        }
        return exchange(epochs);
    }

    /** Goes to the newest epoch, if it was put on another for trial; whether it was, so that all is to be computed anew. */
    public boolean leaveTrial(CurrentEpoch epochs) {
        if (!onTrial || epochs.isCurrent(lease)) {
            return false;
        }
        return exchange(epochs);
    }

    private boolean exchange(CurrentEpoch epochs) {
        onTrial = false;
        Lease newest = epochs.lease();
        boolean otherWeights = newest.epoch().weightsVersion() != version();
        lease.close();
        lease = newest;
        return otherWeights;
    }

    @Override
    public void close() {
        try {
            lease.close();
        } finally {
            if (adapter != null) {
                adapter.close();
            }
        }
    }
}
