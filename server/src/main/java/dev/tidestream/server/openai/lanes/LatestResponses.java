package dev.tidestream.server.openai.lanes;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.openai.responses.LiveResponse;

/**
 * The latest response of each lane of one connection, whether it is stored or not. When there is no room, those that are latest for longest
 * are forgotten. Event loop.
 */
final class LatestResponses {
    private final LaneBudget.Share budget;
    private final Map<Lane, Kept> byLane = new LinkedHashMap<>(); // the oldest comes first

    private record Kept(LiveResponse response, long bytes) {}

    LatestResponses(LaneBudget.Share budget) {
        this.budget = budget;
    }

    /** It takes the place of the one before. */
    void keep(Lane lane, LiveResponse response) {
        forget(lane);
        long bytes = response.heldBytes();
        while (!budget.take(bytes)) {
            Iterator<Kept> oldest = byLane.values().iterator();
            if (!oldest.hasNext()) {
                return;
            }
            budget.give(oldest.next().bytes());
            oldest.remove();
        }
        byLane.put(lane, new Kept(response, bytes));
    }

    /** Null if no lane has it as its latest. */
    @Nullable LiveResponse find(String id) {
        for (Kept kept : byLane.values()) {
            if (kept.response().origin().id().equals(id)) {
                return kept.response();
            }
        }
        return null;
    }

    /** Forgets the latest of a lane if it is this one. */
    void forget(Lane lane, String id) {
        Kept kept = byLane.get(lane);
        if (kept != null && kept.response().origin().id().equals(id)) {
            forget(lane);
        }
    }

    private void forget(Lane lane) {
        Kept kept = byLane.remove(lane);
        if (kept != null) {
            budget.give(kept.bytes());
        }
    }
}
