package dev.tidestream.server.cli.chat;

import java.util.ArrayList;
import java.util.List;

/** The user's wish that one answer should end. Any thread. */
final class StopSwitch {
    private final List<Runnable> actions = new ArrayList<>();
    private boolean requested;

    /** Wishes it; the second time does nothing. */
    void request() {
        List<Runnable> now;
        synchronized (this) {
            requested = true;
            now = List.copyOf(actions);
            actions.clear();
        }
        now.forEach(Runnable::run);
    }

    synchronized boolean requested() {
        return requested;
    }

    /** What to do then, on the thread that wishes it; at once if that has been. */
    void onRequest(Runnable action) {
        synchronized (this) {
            if (!requested) {
                actions.add(action);
                return;
            }
        }
        action.run();
    }
}
