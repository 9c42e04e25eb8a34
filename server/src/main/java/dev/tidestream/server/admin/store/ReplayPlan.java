package dev.tidestream.server.admin.store;

import java.util.List;

/**
 * How to come to a version of the weights: from a checkpoint, or from the model file, by updates in this order.
 *
 * @param from the checkpoint's version, or {@link UpdateLog#BASE_VERSION} for the model file
 * @param updates those that a later replacement of the whole tensor hides are left out
 */
public record ReplayPlan(long from, List<VersionRecord.Updated> updates) {
    public ReplayPlan {
        updates = List.copyOf(updates);
    }

    /** Of the payloads. */
    public long bytes() {
        return updates.stream().mapToLong(update -> update.spec().byteLength()).sum();
    }
}
