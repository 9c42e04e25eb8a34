package dev.tidestream.model.patch;

import dev.tidestream.model.tensor.WorkerTeam;

/** Ranges of an odd size, the last first. */
record BackwardsTeam(int step) implements WorkerTeam {
    @Override
    public int size() {
        return 3;
    }

    @Override
    public void forEachRange(int items, int grain, RangeTask task) {
        for (int from = (items - 1) / step * step; from >= 0; from -= step) {
            task.run(from, Math.min(from + step, items));
        }
    }
}
