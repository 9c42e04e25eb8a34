package dev.tidestream.server.openai;

import java.util.concurrent.CompletableFuture;

/** Names of what decides the bits of an answer, apart from its request: equal names, equal bits. Any thread. */
public interface Fingerprints {
    /** Completes when {@link #of} need not wait; what has failed is tried again at the next call. */
    CompletableFuture<?> ready();

    /**
     * The name for a version of the weights.
     *
     * @param headMode how its logits are computed, as {@code Accepted} has it
     */
    String of(long weightsVersion, String headMode);
}
