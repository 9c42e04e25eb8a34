package dev.tidestream.server.openai;

import java.util.concurrent.CompletableFuture;

/** Names of what decides the bits of an answer, apart from its request: equal names, equal bits. Any thread. */
public interface Fingerprints {
    /** Completes when {@link #of} need not wait. */
    CompletableFuture<?> ready();

    /** The name for a version of the weights. */
    String of(long weightsVersion);
}
