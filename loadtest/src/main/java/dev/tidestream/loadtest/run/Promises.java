package dev.tidestream.loadtest.run;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

import dev.tidestream.loadtest.figures.Promise;
import dev.tidestream.loadtest.figures.PromiseCount;

/**
 * What was checked of a server, how often, and what was found broken. The evidence of the first {@value #KEPT} is kept, all are
 * counted. On the I/O thread.
 */
final class Promises {
    static final int KEPT = 50;

    private final Map<Promise, Long> kept = new EnumMap<>(Promise.class);
    private final Map<Promise, Long> broken = new EnumMap<>(Promise.class);
    private final List<String> evidence = new ArrayList<>();

    /** One check. */
    void check(Promise promise, boolean isKept, Supplier<String> otherwise) {
        if (isKept) {
            kept(promise);
        } else {
            broken(promise, otherwise.get());
        }
    }

    /** It was checked, and is kept. */
    void kept(Promise promise) {
        kept.merge(promise, 1L, Long::sum);
    }

    /** It was checked, and is broken. */
    void broken(Promise promise, String text) {
        broken.merge(promise, 1L, Long::sum);
        if (evidence.size() < KEPT) {
            evidence.add(text);
        }
    }

    long brokenCount() {
        return broken.values().stream().mapToLong(Long::longValue).sum();
    }

    List<String> evidence() {
        return List.copyOf(evidence);
    }

    /** Of each promise, in the order of the enumeration. */
    List<PromiseCount> counts() {
        List<PromiseCount> counts = new ArrayList<>();
        for (Promise promise : Promise.values()) {
            long timesBroken = broken.getOrDefault(promise, 0L);
            counts.add(new PromiseCount(promise, kept.getOrDefault(promise, 0L) + timesBroken, timesBroken));
        }
        return counts;
    }
}
