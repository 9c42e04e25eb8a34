package dev.tidestream.server.openai.lanes;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is: of each lane one after the other, of all lanes so many at once, in the order in which they came to wait. A turn that goes
 * on from a response that another lane is still making waits for the end of that. Event loop.
 */
final class LaneSchedule {
    private final int maxRunning;
    private final Queue<Lane> ready = new ArrayDeque<>();
    private final Set<Turn> running = new LinkedHashSet<>();
    private final Map<String, Turn> making = new HashMap<>(); // by id of response
    private final Map<Turn, List<Lane>> forks = new HashMap<>(); // that wait for it
    private final Set<Turn> waiting = new LinkedHashSet<>();
    private boolean starting;
    private boolean stopped;

    LaneSchedule(int maxRunning) {
        this.maxRunning = maxRunning;
    }

    /** Turns that run, as of now. */
    List<Turn> running() {
        return List.copyOf(running);
    }

    int waitingCount() {
        return waiting.size();
    }

    int count() {
        return running.size() + waiting.size();
    }

    /** Starts no more. */
    void stop() {
        stopped = true;
    }

    /** Lets a turn wait for its start, which may come at once. */
    void add(Turn turn) {
        Lane lane = turn.lane();
        lane.waiting.add(turn);
        waiting.add(turn);
        if (lane.current == null && lane.waiting.size() == 1) {
            nextOf(lane);
            startReady();
        }
    }

    /** The response of a turn that runs can be gone on from by its name. */
    void named(Turn turn, String responseId) {
        making.put(responseId, turn);
    }

    /** The turn that makes this response now. */
    @Nullable Turn making(String responseId) {
        return making.get(responseId);
    }

    /** A turn that ran has ended. */
    void ended(Turn turn, @Nullable String responseId) {
        running.remove(turn);
        if (responseId != null) {
            making.remove(responseId);
        }
        // first those that go on from it: the next turn of its lane takes its place as the latest, and it may be kept nowhere else
        List<Lane> waitingForIt = forks.remove(turn);
        if (waitingForIt != null) {
            waitingForIt.forEach(this::nextOf);
        }
        Lane lane = turn.lane();
        lane.current = null;
        if (!lane.waiting.isEmpty()) {
            nextOf(lane);
        }
        startReady();
    }

    /** Takes away all that wait on lanes where nothing runs. */
    List<Turn> takeIdle() {
        List<Turn> idle = waiting.stream().filter(turn -> turn.lane().current == null).toList();
        idle.forEach(turn -> turn.lane().waiting.remove(turn));
        idle.forEach(waiting::remove);
        idle.forEach(turn -> ready.remove(turn.lane()));
        forks.values().forEach(lanes -> lanes.removeIf(lane -> lane.current == null));
        return idle;
    }

    private void nextOf(Lane lane) {
        Turn next = lane.waiting.peek();
        String previous = next == null ? null : next.previousId();
        Turn parent = previous == null ? null : making.get(previous);
        if (parent != null) {
            forks.computeIfAbsent(parent, turn -> new ArrayList<>()).add(lane);
        } else if (next != null) {
            ready.add(lane);
        }
    }

    /** A turn may end while it is started. */
    private void startReady() {
        if (starting || stopped) {
            return;
        }
        starting = true;
        while (running.size() < maxRunning && !ready.isEmpty()) {
            Lane lane = ready.remove();
            Turn turn = lane.waiting.remove();
            waiting.remove(turn);
            lane.current = turn;
            running.add(turn);
            turn.start();
        }
        starting = false;
    }
}
