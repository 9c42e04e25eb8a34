package dev.tidestream.server.epoch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.FakeLanguageModel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CurrentEpochTest {
    private static final FakeLanguageModel MODEL = new FakeLanguageModel(64, 8, 0);

    private static ModelEpoch epoch(long version, AtomicInteger closed) {
        return new ModelEpoch(version, HeadMode.PACKED, MODEL, closed::incrementAndGet);
    }

    @Test
    void shouldFreeAnEpochOnceWhenItIsSupersededAndItsLastLeaseEnds() {
        AtomicInteger firstClosed = new AtomicInteger();
        AtomicInteger secondClosed = new AtomicInteger();
        CurrentEpoch epochs = new CurrentEpoch(epoch(1, firstClosed));
        Lease a = epochs.lease();
        Lease b = epochs.lease();
        a.close();
        a.close();
        epochs.publish(epoch(2, secondClosed));
        assertEquals(2, epochs.liveEpochs());
        assertEquals(0, firstClosed.get());
        assertEquals(1, b.epoch().weightsVersion());
        b.close();
        assertEquals(1, firstClosed.get());
        assertEquals(1, epochs.liveEpochs());
        epochs.close();
        epochs.close();
        assertEquals(1, secondClosed.get());
        assertEquals(0, epochs.liveEpochs());
        assertThrows(IllegalStateException.class, epochs::lease);
    }

    @Test
    void shouldRefuseAnOlderVersionAndAnotherShape() {
        AtomicInteger closed = new AtomicInteger();
        CurrentEpoch epochs = new CurrentEpoch(epoch(5, closed));
        epochs.publish(epoch(5, new AtomicInteger()));
        assertEquals(1, closed.get());
        assertThrows(IllegalArgumentException.class, () -> epochs.publish(epoch(4, closed)));
        ModelEpoch otherContext = new ModelEpoch(6, HeadMode.PACKED, new FakeLanguageModel(65, 8, 0), () -> { });
        assertThrows(IllegalArgumentException.class, () -> epochs.publish(otherContext));
        assertEquals(5, epochs.weightsVersion());
    }

    /** By what it is, not by what is in it: an epoch with the same components once more is another one. */
    @Test
    void shouldTellALeaseOfTheCurrentEpochFromOthers() {
        ModelEpoch components = epoch(5, new AtomicInteger());
        CurrentEpoch epochs = new CurrentEpoch(components);
        Lease first = epochs.lease();
        Lease second = epochs.lease();
        assertTrue(epochs.isCurrent(first) && epochs.isCurrent(second));
        epochs.publish(epoch(5, new AtomicInteger())); // of the same version, in another layout, say
        assertFalse(epochs.isCurrent(first) || epochs.isCurrent(second));
        epochs.publish(components);
        assertFalse(epochs.isCurrent(first) || epochs.isCurrent(second));
        assertTrue(epochs.isCurrent(epochs.lease()));
    }

    @Test
    void shouldLiveOnWhenFreeingFails() {
        CurrentEpoch epochs = new CurrentEpoch(new ModelEpoch(1, HeadMode.PACKED, MODEL, () -> {
            throw new IllegalStateException("as if");
        }));
        epochs.publish(epoch(2, new AtomicInteger()));
        assertEquals(1, epochs.liveEpochs());
    }

    @Test
    void shouldNeverLeaseAFreedEpochNorFreeOneTwiceUnderContention() throws Exception {
        int versions = 20_000;
        List<AtomicInteger> closed = new ArrayList<>();
        for (int i = 0; i <= versions; i++) {
            closed.add(new AtomicInteger());
        }
        CurrentEpoch epochs = new CurrentEpoch(epoch(0, closed.getFirst()));
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger leases = new AtomicInteger();
        try (ExecutorService readers = Executors.newFixedThreadPool(3)) {
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int r = 0; r < 3; r++) {
                all.add(CompletableFuture.runAsync(() -> {
                    while (!done.get()) {
                        try (Lease lease = epochs.lease()) {
                            int version = (int) lease.epoch().weightsVersion();
                            assertEquals(0, closed.get(version).get(), "leased after it was freed");
                            leases.incrementAndGet();
                        }
                    }
                }, readers));
            }
            for (int version = 1; version <= versions; version++) {
                epochs.publish(epoch(version, closed.get(version)));
            }
            while (leases.get() == 0) {
                Thread.onSpinWait();
            }
            done.set(true);
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
        }
        epochs.close();
        assertTrue(closed.stream().allMatch(count -> count.get() == 1));
        assertEquals(0, epochs.liveEpochs());
    }
}
