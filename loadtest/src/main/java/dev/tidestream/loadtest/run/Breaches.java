package dev.tidestream.loadtest.run;

import java.util.ArrayList;
import java.util.List;

/** Broken promises of the server, with the evidence. The first {@value #KEPT} are kept, all are counted. */
final class Breaches {
    static final int KEPT = 50;

    private final List<String> evidence = new ArrayList<>();
    private long count;

    void add(String text) {
        count++;
        if (evidence.size() < KEPT) {
            evidence.add(text);
        }
    }

    long count() {
        return count;
    }

    List<String> evidence() {
        return List.copyOf(evidence);
    }
}
