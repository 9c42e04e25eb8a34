package dev.tidestream.server.receipts;

import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** What a server computes with, by content. Any thread. */
public interface ServedContent {
    /** Completes when the other methods need not wait for files to be read; what has failed is tried again at the next call. */
    CompletableFuture<?> ready();

    /** The model. */
    Receipt.Model model();

    /** How it is computed, by the names of options. */
    Map<String, String> precision();

    /**
     * Of the updates that a version of the weights has on top of the model file: equal hashes, equal weights.
     *
     * @throws IllegalStateException if there is no such version
     */
    String updatesSha256(long weightsVersion);
}
