package dev.tidestream.server.cluster.node;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.ModelEpoch;

import static org.junit.jupiter.api.Assertions.assertEquals;

class KeptVersionsTest {
    private static final FakeLanguageModel MODEL = new FakeLanguageModel(64, 8, 0);

    private final List<Long> freed = new ArrayList<>();
    private final CurrentEpoch epochs = new CurrentEpoch(epoch(1, HeadMode.PACKED));
    private long nowNs;
    private final KeptVersions kept = new KeptVersions(epochs, 2, () -> nowNs);

    private ModelEpoch epoch(long version, HeadMode mode) {
        return new ModelEpoch(version, mode, MODEL, () -> freed.add(version));
    }

    private void seconds(long seconds) {
        nowNs += TimeUnit.SECONDS.toNanos(seconds);
    }

    @Test
    void shouldKeepAVersionForAsLongAsOthersNeedIt() {
        kept.need(Set.of());
        epochs.publish(epoch(2, HeadMode.PACKED));
        assertEquals(List.of(), freed); // nobody can know yet who needs it
        for (int i = 0; i < 10; i++) {
            seconds(1);
            kept.need(Set.of(1L));
        }
        assertEquals(List.of(), freed);
        kept.need(Set.of());
        seconds(2);
        kept.need(Set.of());
        assertEquals(List.of(), freed);
        seconds(2);
        kept.need(Set.of());
        assertEquals(List.of(1L), freed);
        epochs.lease(2).orElseThrow().close();
    }

    @Test
    void shouldCountNoneOfItsOwnLeasesAsANeed() {
        kept.need(Set.of());
        assertEquals(Set.of(), kept.pinnedHere());
        try (Lease _ = epochs.lease()) {
            assertEquals(Set.of(1L), kept.pinnedHere());
            epochs.publish(epoch(2, HeadMode.PACKED));
            kept.need(Set.of(1L));
            assertEquals(Set.of(1L), kept.pinnedHere());
        }
        assertEquals(Set.of(), kept.pinnedHere());
    }

    @Test
    void shouldLetTheOldestGoIfThereAreTooMany() {
        for (long version = 2; version <= 4; version++) {
            kept.need(Set.of(1L, 2L, 3L, 4L));
            epochs.publish(epoch(version, HeadMode.PACKED));
        }
        kept.need(Set.of(1L, 2L, 3L, 4L));
        assertEquals(List.of(1L), freed);
    }

    @Test
    void shouldKeepNoOldHeadOfTheCurrentVersion() {
        kept.need(Set.of());
        epochs.publish(epoch(1, HeadMode.CACHED_TRANSPOSE));
        kept.need(Set.of());
        assertEquals(List.of(1L), freed);
    }

    @Test
    void shouldKeepNothingWhenItIsClosed() {
        kept.need(Set.of());
        epochs.publish(epoch(2, HeadMode.PACKED));
        kept.close();
        assertEquals(List.of(1L), freed);
        kept.need(Set.of(2L));
        epochs.close();
        assertEquals(List.of(1L, 2L), freed);
    }
}
