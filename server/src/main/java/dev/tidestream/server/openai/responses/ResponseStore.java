package dev.tidestream.server.openai.responses;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import dev.tidestream.server.keys.Owner;

/**
 * Responses that can be asked for again: those that run, and those that have ended, within bounds. Any thread; nothing here waits for a
 * file.
 */
public interface ResponseStore {
    /** One runs, and can be found from now on. */
    void begin(LiveResponse response);

    /** Keeps one that has ended, perhaps at the cost of others; not if it was removed meanwhile. */
    void end(LiveResponse response);

    /** One that runs or has ended. */
    CompletableFuture<Optional<LiveResponse>> find(String id);

    /** One of this owner; for others there is none. */
    default CompletableFuture<Optional<LiveResponse>> find(String id, Owner owner) {
        return find(id).thenApply(found -> found.filter(response -> response.origin().owner().equals(owner)));
    }

    /** Forgets one; false if there is none. What has been forgotten is gone from wherever it was kept when this completes. */
    CompletableFuture<Boolean> remove(String id);
}
