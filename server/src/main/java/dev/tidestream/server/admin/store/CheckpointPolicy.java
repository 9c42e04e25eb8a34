package dev.tidestream.server.admin.store;

/**
 * How much a start may have to apply before a checkpoint is written; see {@link Checkpoints}.
 *
 * @param updates so many changes of a tensor are too many; 0 for never a checkpoint
 * @param bytes of payloads that are too many
 */
public record CheckpointPolicy(int updates, long bytes) {

    /** 16 updates, or 256 MiB. */
    public static final CheckpointPolicy DEFAULT = new CheckpointPolicy(16, 256L << 20);

    public CheckpointPolicy {
        if (updates < 0 || bytes < 1) {
            throw new IllegalArgumentException("updates must not be negative, and bytes positive: updates=%s, bytes=%s".formatted(updates, bytes));
        }
    }

    /** Whether a start would have to apply too much. */
    public boolean demands(ReplayPlan plan) {
        return updates > 0 && !plan.steps().isEmpty() && (plan.steps().size() >= updates || plan.bytes() >= bytes);
    }
}
