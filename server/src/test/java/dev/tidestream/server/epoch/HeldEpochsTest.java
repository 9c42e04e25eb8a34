package dev.tidestream.server.epoch;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.FakeLanguageModel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Epochs that wait to become the current one. */
class HeldEpochsTest {
    private static final FakeLanguageModel MODEL = new FakeLanguageModel(64, 8, 0);

    private final AtomicInteger freed = new AtomicInteger();
    private final CurrentEpoch epochs = new CurrentEpoch(epoch(1));

    private ModelEpoch epoch(long version) {
        return new ModelEpoch(version, HeadMode.PACKED, MODEL, freed::incrementAndGet);
    }

    private List<Long> held() {
        return new ArrayList<>(epochs.held());
    }

    @Test
    void shouldBeThereForWhoAsksForTheVersion() {
        epochs.hold(epoch(2));
        assertEquals(1, epochs.weightsVersion());
        try (Lease newest = epochs.lease(); Lease asked = epochs.lease(2).orElseThrow()) {
            assertEquals(1, newest.epoch().weightsVersion());
            assertEquals(2, asked.epoch().weightsVersion());
            EpochStatus status = epochs.live().getLast();
            assertEquals(1, status.leases(), "being held is no lease");
            assertFalse(status.current());
        }
        assertEquals(0, freed.get());
    }

    @Test
    void shouldPublishOnceAndLetOlderOnesGo() {
        List<Long> told = new ArrayList<>();
        epochs.onPublish(told::add);
        epochs.hold(epoch(2));
        epochs.hold(epoch(3));
        epochs.hold(epoch(4));
        assertTrue(epochs.publishHeld(3));
        assertFalse(epochs.publishHeld(3));
        assertFalse(epochs.publishHeld(2), "it is older than the current one");
        assertEquals(3, epochs.weightsVersion());
        assertEquals(List.of(4L), held());
        assertEquals(2, freed.get(), "versions 1 and 2");
        assertEquals(List.of(3L), told);
        epochs.publish(epoch(5));
        assertEquals(List.of(), held());
        assertEquals(4, freed.get());
        epochs.close();
        assertEquals(5, freed.get());
    }

    @Test
    void shouldRefuseWhatIsNotNewer() {
        epochs.hold(epoch(3));
        assertThrows(IllegalArgumentException.class, () -> epochs.hold(epoch(3)));
        assertThrows(IllegalArgumentException.class, () -> epochs.hold(epoch(1)));
        assertThrows(IllegalArgumentException.class,
                () -> epochs.hold(new ModelEpoch(4, HeadMode.PACKED, new FakeLanguageModel(65, 8, 0), () -> { })));
        assertEquals(List.of(3L), held());
    }

    @Test
    void shouldKeepMemoryUntilTheLastLeaseEnds() {
        epochs.hold(epoch(2));
        Lease lease = epochs.lease(2).orElseThrow();
        epochs.letGo(2);
        epochs.letGo(2);
        assertEquals(0, freed.get());
        lease.close();
        assertEquals(1, freed.get());
        assertEquals(Optional.empty(), epochs.lease(2));
        epochs.hold(epoch(2));
        epochs.close();
        assertEquals(3, freed.get());
    }

    @Test
    void shouldGiveNewStreamsWhatIsTriedWhileItIsThere() {
        epochs.tryOut(new Trial() {
            @Override
            public long weightsVersion() {
                return 2;
            }

            @Override
            public boolean takes(long seed, Object account) {
                return seed == 7;
            }
        });
        assertEquals(1, epochs.lease(7, "c").epoch().weightsVersion(), "it is not in memory yet");
        epochs.hold(epoch(2));
        Lease tried = epochs.lease(7, "c");
        assertEquals(2, tried.epoch().weightsVersion());
        assertTrue(epochs.isTried(tried));
        assertEquals(1, epochs.lease(8, "c").epoch().weightsVersion());
        assertTrue(epochs.publishHeld(2));
        assertFalse(epochs.isTried(tried), "it is the current one");
        assertTrue(epochs.isCurrent(tried));
    }
}
