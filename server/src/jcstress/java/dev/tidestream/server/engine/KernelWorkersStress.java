package dev.tidestream.server.engine;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * What workers write in a region is there for the caller when the region ends, what the caller wrote before is there for them, and
 * every item is done once, in plain memory.
 */
@JCStressTest
@Outcome(id = "8, 36, 44", expect = Expect.ACCEPTABLE, desc = "Each item once; both regions see all that was written before.")
@State
public class KernelWorkersStress {
    private static final int ITEMS = 8;
    private static final KernelWorkers WORKERS = new KernelWorkers(2);

    private final int[] times = new int[ITEMS];
    private final int[] values = new int[ITEMS];
    private int before; // written by the caller, read by workers

    /** The only caller: two regions, one after the other. */
    @Actor
    public void caller(III_Result r) {
        before = 1;
        WORKERS.forEachRange(ITEMS, 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                times[i] += before;
                values[i] = i + 1;
            }
        });
        r.r1 = sum(times);
        r.r2 = sum(values);
        before = 2;
        WORKERS.forEachRange(ITEMS, 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                values[i] += values[ITEMS - 1 - i] > 0 ? before - times[i] : 0; // of another worker's, in the region before
            }
        });
        r.r3 = sum(values);
    }

    private static int sum(int[] all) {
        int sum = 0;
        for (int one : all) {
            sum += one;
        }
        return sum;
    }
}
