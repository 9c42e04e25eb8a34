package dev.tidestream.server.openai.lanes;

import java.util.ArrayDeque;
import java.util.Queue;

import org.jspecify.annotations.Nullable;

/** One conversation after the other: at most one turn of it runs. Event loop. */
final class Lane {
    final @Nullable String name;
    final Queue<Turn> waiting = new ArrayDeque<>();
    @Nullable Turn current;

    /** @param name null for the one that requests without a name are on */
    Lane(@Nullable String name) {
        this.name = name;
    }

    /** The turn that runs, or the one that will next; null if there is none. */
    @Nullable Turn first() {
        return current == null ? waiting.peek() : current;
    }
}
