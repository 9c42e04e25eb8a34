package dev.tidestream.loadtest.run;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import org.jspecify.annotations.Nullable;

/** The connections of a run, in the order in which they were asked for. */
final class Lanes {
    private static final Comparator<Lane> LEAST_BUSY =
            Comparator.<Lane>comparingInt(lane -> lane.running.size()).thenComparingLong(lane -> lane.started);

    private final List<Lane> lanes = new ArrayList<>();
    private final int streamsPerLane;

    Lanes(int streamsPerLane) {
        this.streamsPerLane = streamsPerLane;
    }

    void add(Lane lane) {
        lanes.add(lane);
    }

    void remove(Lane lane) {
        lanes.remove(lane);
    }

    /**
     * An open one with the fewest streams, of these the one on which fewest were started, or null if none has room.
     *
     * @param alone one that the stream has for itself
     */
    @Nullable
    Lane withRoom(boolean alone) {
        Lane best = null;
        for (Lane lane : lanes) {
            if (lane.isOpen() && lane.alone == alone && lane.running.size() < (alone ? 1 : streamsPerLane)
                    && (best == null || LEAST_BUSY.compare(lane, best) < 0)) {
                best = lane;
            }
        }
        return best;
    }

    /** Those of a kind that have not been opened yet. */
    long connecting(boolean alone) {
        return lanes.stream().filter(lane -> lane.alone == alone && !lane.everOpened()).count();
    }

    int size(boolean alone) {
        return (int) lanes.stream().filter(lane -> lane.alone == alone).count();
    }

    long connecting() {
        return lanes.stream().filter(lane -> !lane.everOpened()).count();
    }

    /** Streams under way. */
    int running() {
        return lanes.stream().mapToInt(lane -> lane.running.size()).sum();
    }

    int size() {
        return lanes.size();
    }

    List<Lane> all() {
        return List.copyOf(lanes);
    }
}
