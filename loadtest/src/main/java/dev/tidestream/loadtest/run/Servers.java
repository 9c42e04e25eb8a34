package dev.tidestream.loadtest.run;

import java.util.List;

import dev.tidestream.loadtest.wire.Target;

/** The servers of a run, one at least: connections go to them in turn. On the I/O thread. */
final class Servers {
    private final List<Target> targets;
    private int turns;

    Servers(List<Target> targets) {
        this.targets = List.copyOf(targets);
    }

    /** The number of the one whose turn it is, counted from 0. */
    int next() {
        return turns++ % targets.size();
    }

    Target get(int server) {
        return targets.get(server);
    }

    /** The one that is asked what all have in common. */
    Target first() {
        return targets.getFirst();
    }

    int size() {
        return targets.size();
    }

    List<String> names() {
        return targets.stream().map(Target::name).toList();
    }
}
