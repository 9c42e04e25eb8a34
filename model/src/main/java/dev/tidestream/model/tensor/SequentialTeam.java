package dev.tidestream.model.tensor;

/** A team of one: the caller. */
enum SequentialTeam implements WorkerTeam {
    INSTANCE;

    @Override
    public int size() {
        return 1;
    }

    @Override
    public void forEachRange(int items, int grain, RangeTask task) {
        if (items > 0) {
            task.run(0, items);
        }
    }
}
