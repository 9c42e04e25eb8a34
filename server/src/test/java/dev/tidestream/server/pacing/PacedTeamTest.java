package dev.tidestream.server.pacing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PacedTeamTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void shouldRefuseAShareThatIsNone() {
        for (double share : new double[] {0, -1, 1.5, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new PacedTeam(new StepBreak(), share));
        }
    }

    @Test
    void shouldDoEveryItemOnceInPiecesOfTheGrain() {
        List<Integer> done = new ArrayList<>();
        new PacedTeam(new StepBreak(), 0.25).forEachRange(10, 4, (from, to) -> {
            assertTrue(to - from <= 4);
            for (int i = from; i < to; i++) {
                done.add(i);
            }
        });
        assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), done);
    }

    @Test
    void shouldDoWhatIsShorterThanASliceWithoutABreak() {
        StepBreak breaks = new StepBreak();
        breaks.begin(); // and no break is ever given
        AtomicInteger items = new AtomicInteger();
        assertTimeoutPreemptively(PATIENCE, () ->
                new PacedTeam(breaks, 0.25, () -> 0).forEachRange(1_000, 1, (from, to) -> items.addAndGet(to - from)));
        assertEquals(1_000, items.get());
    }

    @Test
    void shouldMakeNoWayWithAShareOfOne() {
        StepBreak breaks = new StepBreak();
        breaks.begin();
        AtomicLong clockNs = new AtomicLong();
        assertTimeoutPreemptively(PATIENCE, () ->
                new PacedTeam(breaks, 1, () -> clockNs.addAndGet(PacedTeam.SLICE_NS)).forEachRange(100, 1, (from, to) -> { }));
    }

    @Test
    void shouldWaitForABreakAfterEachSlice() {
        StepBreak breaks = new StepBreak();
        breaks.begin();
        AtomicLong clockNs = new AtomicLong();
        AtomicInteger items = new AtomicInteger();
        PacedTeam team = new PacedTeam(breaks, 0.25, () -> clockNs.addAndGet(PacedTeam.SLICE_NS));
        assertTimeoutPreemptively(PATIENCE, () -> {
            CompletableFuture<Void> builder =
                    CompletableFuture.runAsync(() -> {
                        team.forEachRange(100, 1, (from, to) -> items.addAndGet(to - from));
                        team.rest();
                    });
            int most = 0;
            while (!builder.isDone()) {
                int before = items.get();
                breaks.give(0); // of no length: room for one slice
                most = Math.max(most, items.get() - before);
            }
            builder.join();
            assertTrue(most >= 1 && most <= 2, "slices during one break: " + most);
        });
        assertEquals(100, items.get());
    }

    /** The clock stands, so that breaks end by the builder's word only. */
    @Test
    void shouldKeepItsBreakFromARegionToWhatFollowsUntilItRests() {
        StepBreak breaks = new StepBreak(() -> 0);
        breaks.begin();
        AtomicLong clockNs = new AtomicLong();
        PacedTeam team = new PacedTeam(breaks, 0.25, () -> clockNs.addAndGet(PacedTeam.SLICE_NS));
        assertTimeoutPreemptively(PATIENCE, () -> {
            CompletableFuture<List<Boolean>> builder = CompletableFuture.supplyAsync(() -> {
                List<Boolean> free = new ArrayList<>();
                team.forEachRange(2, 1, (from, to) -> free.add(breaks.free()));
                team.awaitBreak();
                free.add(breaks.free());
                PacedTeam.Pieces pieces = team.pieces();
                pieces.next(0);
                free.add(breaks.free());
                team.rest();
                free.add(breaks.free());
                return free;
            });
            while (!builder.isDone()) {
                breaks.give(10_000_000);
            }
            assertEquals(List.of(false, true, true, true, false), builder.join());
        });
    }

    /** A break of 6 slices, and pieces of 4: each has one of its own, since there are only 2 left for the next. */
    @Test
    void shouldWaitForTheNextBreakWithAPieceThatIsTooLongForWhatIsLeft() {
        AtomicLong clockNs = new AtomicLong();
        StepBreak breaks = new StepBreak(clockNs::get);
        breaks.begin();
        AtomicInteger items = new AtomicInteger();
        PacedTeam team = new PacedTeam(breaks, 0.5, clockNs::get);
        assertTimeoutPreemptively(PATIENCE, () -> {
            CompletableFuture<Void> builder = CompletableFuture.runAsync(() -> {
                team.forEachRange(10, 1, (from, to) -> {
                    items.addAndGet(to - from);
                    clockNs.addAndGet(4 * PacedTeam.SLICE_NS);
                });
                team.rest();
            });
            int used = 0;
            while (!builder.isDone()) {
                int before = items.get();
                breaks.give(6 * PacedTeam.SLICE_NS);
                used += items.get() > before ? 1 : 0;
            }
            builder.join();
            assertTrue(used >= 9, "breaks for nine pieces and one before them: " + used);
        });
        assertEquals(10, items.get());
    }
}
