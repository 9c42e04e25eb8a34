package dev.tidestream.server.epoch;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.FakeLanguageModel;

/**
 * A sequence leases the newest epoch while another thread publishes the next one: no memory is freed under a lease, the memory of
 * the superseded epoch is freed once, and whoever published leases what was published.
 */
@JCStressTest
@Outcome(id = "[12], 2, 1, 0", expect = Expect.ACCEPTABLE, desc = "Either version; the old one freed once, the new one alive.")
@State
public class LeaseStress {
    private static final FakeLanguageModel MODEL = new FakeLanguageModel(64, 8, 0);
    private static final int USED_AFTER_FREE = -1;

    private final int[] freed = new int[3]; // by version; plain memory, ordered by the count of references
    private final CurrentEpoch epochs = new CurrentEpoch(epoch(1));

    private ModelEpoch epoch(int version) {
        return new ModelEpoch(version, HeadMode.PACKED, MODEL, () -> freed[version]++);
    }

    private int use() {
        try (Lease lease = epochs.lease()) {
            int version = (int) lease.epoch().weightsVersion();
            return freed[version] == 0 ? version : USED_AFTER_FREE;
        }
    }

    @Actor
    public void sequence(IIII_Result r) {
        r.r1 = use();
    }

    @Actor
    public void publisher(IIII_Result r) {
        epochs.publish(epoch(2));
        r.r2 = use();
    }

    @Arbiter
    public void after(IIII_Result r) {
        r.r3 = freed[1];
        r.r4 = freed[2];
    }
}
