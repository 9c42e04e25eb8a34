package dev.tidestream.server.admin.store;

import java.util.List;

/**
 * How to come to a version of the weights: from a checkpoint, or from the model file, by changes in this order.
 *
 * @param from the checkpoint's version, or {@link UpdateLog#BASE_VERSION} for the model file
 * @param steps those that a later replacement of the whole tensor hides are left out
 */
public record ReplayPlan(long from, List<ReplayStep> steps) {
    public ReplayPlan {
        steps = List.copyOf(steps);
    }

    /** The versions that have the steps, in order. */
    public List<VersionRecord.WithPayload> updates() {
        return steps.stream().map(ReplayStep::version).distinct().toList();
    }

    /** Of the payloads that are read. */
    public long bytes() {
        return steps.stream().mapToLong(step -> step.change().byteLength()).sum();
    }
}
