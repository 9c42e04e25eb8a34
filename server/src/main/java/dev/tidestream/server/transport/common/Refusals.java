package dev.tidestream.server.transport.common;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/** How often the transport refused something, by reason. Any thread. */
public final class Refusals {
    private final Map<Refusal, LongAdder> counts = new EnumMap<>(Refusal.class);

    public Refusals() {
        for (Refusal refusal : Refusal.values()) {
            counts.put(refusal, new LongAdder());
        }
    }

    /** It happened once more. */
    public void count(Refusal refusal) {
        Objects.requireNonNull(counts.get(refusal)).increment();
    }

    /** All counts, those of 0 included. */
    public Map<Refusal, Long> snapshot() {
        Map<Refusal, Long> snapshot = new EnumMap<>(Refusal.class);
        counts.forEach((refusal, count) -> snapshot.put(refusal, count.sum()));
        return snapshot;
    }
}
