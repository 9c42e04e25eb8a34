package dev.tidestream.model.tensor;

/**
 * Threads that share one kernel's work. The model owns none: the server passes a team in.
 *
 * <p>One caller at a time. A region's result never depends on how it was split.
 */
public interface WorkerTeam {

    /** How many threads work in a region, the caller's included. */
    int size();

    /**
     * Splits {@code 0 <= i < items} into ranges and runs {@code task} once for each, on the caller's thread and the team's;
     * returns when all are done. What a task throws is thrown here, after the region has ended.
     *
     * @param items number of items; 0 does nothing
     * @param grain smallest range worth handing to another thread; ranges begin at multiples of it
     */
    void forEachRange(int items, int grain, RangeTask task);

    /** The work of a region, on {@code from <= i < to}. Called concurrently for disjoint ranges. */
    @FunctionalInterface
    interface RangeTask {
        void run(int from, int to);
    }

    /** The caller's thread alone. */
    static WorkerTeam sequential() {
        return SequentialTeam.INSTANCE;
    }
}
