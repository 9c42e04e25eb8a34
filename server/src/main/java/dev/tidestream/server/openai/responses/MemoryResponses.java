package dev.tidestream.server.openai.responses;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

/**
 * Those that run, and of those that have ended the ones used last, bounded in number and bytes. In memory; they end with the process. Any
 * thread.
 */
public final class MemoryResponses implements ResponseStore {
    private final int maxResponses;
    private final long maxBytes;
    private final Map<String, LiveResponse> running = new LinkedHashMap<>();
    private final Map<String, Kept> ended = new LinkedHashMap<>(16, 0.75f, true); // the one used last comes last
    private long bytes;

    private record Kept(LiveResponse response, long bytes) {}

    /**
     * @param maxResponses most that are kept; 0: none
     * @param maxBytes what they may take, estimated
     */
    public MemoryResponses(int maxResponses, long maxBytes) {
        this.maxResponses = maxResponses;
        this.maxBytes = maxBytes;
    }

    @Override
    public synchronized void begin(LiveResponse response) {
        running.put(response.origin().id(), response);
    }

    /** Keeps it at the cost of those that were not used for longest. */
    @Override
    public void end(LiveResponse response) {
        long size = response.heldBytes(); // takes its time, and nothing that is guarded here
        synchronized (this) {
            running.remove(response.origin().id());
            if (!response.deleted()) {
                keep(response, size);
            }
        }
    }

    private void keep(LiveResponse response, long size) {
        if (maxResponses == 0 || size > maxBytes) {
            return;
        }
        forget(response.origin().id());
        bytes += size;
        ended.put(response.origin().id(), new Kept(response, size));
        Iterator<Kept> oldest = ended.values().iterator();
        while (ended.size() > maxResponses || bytes > maxBytes) {
            bytes -= oldest.next().bytes();
            oldest.remove();
        }
    }

    private @Nullable Kept forget(String id) {
        Kept kept = ended.remove(id);
        if (kept != null) {
            bytes -= kept.bytes();
        }
        return kept;
    }

    @Override
    public CompletableFuture<Optional<LiveResponse>> find(String id) {
        return CompletableFuture.completedFuture(Optional.ofNullable(get(id)));
    }

    private synchronized @Nullable LiveResponse get(String id) {
        Kept kept = ended.get(id);
        return kept == null ? running.get(id) : kept.response();
    }

    @Override
    public synchronized CompletableFuture<Boolean> remove(String id) {
        LiveResponse live = running.remove(id);
        Kept kept = forget(id);
        if (live != null) {
            live.delete();
        }
        if (kept != null) {
            kept.response().delete(); // it may be about to be written
        }
        return CompletableFuture.completedFuture(live != null || kept != null);
    }
}
