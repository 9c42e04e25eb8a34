package dev.tidestream.server.openai;

import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.AdapterRef;

/** Names of what decides the bits of an answer, apart from its request: equal names, equal bits. Any thread. */
public interface Fingerprints {
    /** Of an adapter's hash. */
    int ADAPTER_DIGITS = 12;

    /** Completes when {@link #of} need not wait; what has failed is tried again at the next call. */
    CompletableFuture<?> ready();

    /**
     * The name for a version of the weights.
     *
     * @param headMode how its logits are computed, as {@code Accepted} has it
     */
    String of(long weightsVersion, String headMode);

    /**
     * The name for a version of the weights with an adapter.
     *
     * @param headMode how its logits are computed, as {@code Accepted} has it
     * @param adapter null for none; its content counts, not its name
     */
    default String of(long weightsVersion, String headMode, @Nullable AdapterRef adapter) {
        String base = of(weightsVersion, headMode);
        return adapter == null ? base : base + "-" + adapter.sha256().substring(0, Math.min(ADAPTER_DIGITS, adapter.sha256().length()));
    }
}
