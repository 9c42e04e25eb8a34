package dev.tidestream.server.openai.responses;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.jspecify.annotations.Nullable;

/**
 * Responses that can be asked for again: those that run, and of those that have ended the ones used last, bounded in number and bytes. In
 * memory; they end with the process. Any thread.
 */
public final class ResponseStore {
    private static final long BYTES_EACH = 4096; // what is echoed, and objects

    private final int maxResponses;
    private final long maxBytes;
    private final Map<String, LiveResponse> running = new LinkedHashMap<>();
    private final Map<String, Stored> ended = new LinkedHashMap<>(16, 0.75f, true); // the one used last comes last
    private long bytes;

    /** @param conversation all of it, with the answer; null if it has failed */
    private record Stored(LiveResponse response, @Nullable List<JsonNode> conversation, long bytes) {}

    /**
     * @param maxResponses most that are kept; 0: none
     * @param maxBytes what they may take, estimated
     */
    public ResponseStore(int maxResponses, long maxBytes) {
        this.maxResponses = maxResponses;
        this.maxBytes = maxBytes;
    }

    synchronized void begin(LiveResponse response) {
        running.put(response.origin().id(), response);
    }

    /** Keeps one that has ended, at the cost of those that were not used for longest. */
    synchronized void end(LiveResponse response) {
        running.remove(response.origin().id());
        if (response.deleted() || maxResponses == 0) {
            return;
        }
        LiveResponse.Origin origin = response.origin();
        List<JsonNode> conversation = new ArrayList<>(origin.prior());
        conversation.addAll(origin.request().messages());
        conversation.add(JsonNodeFactory.instance.objectNode().put("role", "assistant").put("content", response.text()));
        long size = BYTES_EACH + response.bytes() + bytes(conversation) + bytes(origin.request().items())
                + 2L * origin.request().echo().toString().length();
        if (size > maxBytes) {
            return;
        }
        bytes += size;
        boolean failed = response.status() == LiveResponse.Status.FAILED;
        ended.put(origin.id(), new Stored(response, failed ? null : conversation, size));
        Iterator<Stored> oldest = ended.values().iterator();
        while (ended.size() > maxResponses || bytes > maxBytes) {
            bytes -= oldest.next().bytes();
            oldest.remove();
        }
    }

    private static long bytes(List<JsonNode> nodes) {
        long sum = 0;
        for (JsonNode node : nodes) {
            sum += 2L * node.toString().length();
        }
        return sum;
    }

    /** The conversation up to a response that has ended, and its answer. */
    synchronized Optional<List<JsonNode>> conversation(String id) {
        Stored stored = ended.get(id);
        return stored == null ? Optional.empty() : Optional.ofNullable(stored.conversation());
    }

    /** One that runs or has ended. */
    synchronized Optional<LiveResponse> find(String id) {
        Stored stored = ended.get(id);
        return Optional.ofNullable(stored == null ? running.get(id) : stored.response());
    }

    /** Forgets one; false if there is none. */
    synchronized boolean remove(String id) {
        LiveResponse live = running.remove(id);
        Stored stored = ended.remove(id);
        if (stored != null) {
            bytes -= stored.bytes();
        }
        if (live != null) {
            live.delete();
        }
        return live != null || stored != null;
    }

    /** How many are kept. */
    synchronized int size() {
        return ended.size();
    }
}
