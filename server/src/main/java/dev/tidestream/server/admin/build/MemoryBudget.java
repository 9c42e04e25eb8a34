package dev.tidestream.server.admin.build;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;

/**
 * How much memory weights, layouts derived from them, and the KV cache may take together. Checked before anything is built.
 *
 * @param limitBytes of all of them
 * @param kvBytes set aside for the KV cache
 */
public record MemoryBudget(long limitBytes, long kvBytes) {

    public MemoryBudget {
        if (limitBytes < 1 || kvBytes < 0) {
            throw new IllegalArgumentException("memory budget must be positive: limit_bytes=%d, kv_bytes=%d".formatted(limitBytes, kvBytes));
        }
    }

    /** Bytes that are left for something new. */
    public long freeBytes(long heldBytes) {
        return limitBytes - kvBytes - heldBytes;
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
                    "%s does not fit the memory budget: needed_bytes=%d, held_bytes=%d, kv_bytes=%d, memory_budget_bytes=%d"
                            .formatted(what, neededBytes, heldBytes, kvBytes, limitBytes));
        }
    }
}
