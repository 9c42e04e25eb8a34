package dev.tidestream.server.transport;

import java.util.LinkedHashSet;

/** The ids that ended last, at most {@code capacity} of them. */
final class RecentIds {
    private final LinkedHashSet<String> ids = new LinkedHashSet<>();
    private final int capacity;

    RecentIds(int capacity) {
        this.capacity = capacity;
    }

    void add(String id) {
        ids.remove(id);
        ids.add(id);
        if (ids.size() > capacity) {
            ids.removeFirst();
        }
    }

    boolean contains(String id) {
        return ids.contains(id);
    }
}
