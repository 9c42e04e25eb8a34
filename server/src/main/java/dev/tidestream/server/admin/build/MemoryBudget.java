package dev.tidestream.server.admin.build;

import java.util.function.LongSupplier;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;

/**
 * How much memory weights, layouts derived from them, adapters and the KV cache may take together. Checked before anything is built.
 * Immutable but for what it asks; any thread.
 */
public final class MemoryBudget {
    private final Limits limits;
    private final LongSupplier adapterBytes;

    /**
     * What was set.
     *
     * @param limitBytes of all of them
     * @param kvBytes set aside for the KV cache
     */
    public record Limits(long limitBytes, long kvBytes) {
        public Limits {
            if (limitBytes < 1 || kvBytes < 0) {
                throw new IllegalArgumentException(
                        "memory budget must be positive: limit_bytes=%d, kv_bytes=%d".formatted(limitBytes, kvBytes));
            }
        }
    }

    /** One in which there are no adapters. */
    public MemoryBudget(long limitBytes, long kvBytes) {
        this(new Limits(limitBytes, kvBytes), () -> 0);
    }

    private MemoryBudget(Limits limits, LongSupplier adapterBytes) {
        this.limits = limits;
        this.adapterBytes = adapterBytes;
    }

    /** The same, of which adapters take so much. */
    public MemoryBudget besideAdapters(LongSupplier bytes) {
        return new MemoryBudget(limits, bytes);
    }

    /** What was set. */
    public Limits limits() {
        return limits;
    }

    /** Bytes that are left for something new. */
    public long freeBytes(long heldBytes) {
        return limits.limitBytes() - limits.kvBytes() - adapterBytes.getAsLong() - heldBytes;
    }

    /**
     * Refuses what does not fit.
     *
     * @param what is to be built, for the message
     * @param heldBytes by all versions alive
     * @param neededBytes more than that, at most, while building and afterwards
     * @throws AdminException {@code budget_exceeded}, with all the numbers
     */
    void require(String what, long heldBytes, long neededBytes) throws AdminException {
        if (neededBytes > freeBytes(heldBytes)) {
            throw new AdminException(
                    AdminErrorCode.BUDGET_EXCEEDED,
                    "%s does not fit the memory budget: needed_bytes=%d, held_bytes=%d, adapter_bytes=%d, kv_bytes=%d, memory_budget_bytes=%d"
                            .formatted(what, neededBytes, heldBytes, adapterBytes.getAsLong(), limits.kvBytes(), limits.limitBytes()));
        }
    }
}
