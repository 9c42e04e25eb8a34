package dev.tidestream.server.pacing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StepBreakTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long STEP_NS = 25_000_000;

    @Test
    void shouldMakeTheBreakTheShareOfStepAndBreak() {
        assertEquals(STEP_NS, StepBreak.lengthNs(STEP_NS, 0.5));
        assertEquals(STEP_NS / 4, StepBreak.lengthNs(STEP_NS, 0.2));
        assertEquals(StepBreak.LONGEST_NS, StepBreak.lengthNs(10_000_000_000L, 0.5));
        assertEquals(0, StepBreak.lengthNs(0, 0.5));
    }

    @Test
    void shouldLetTheBuilderGoOnWhileNoStepIsDone() {
        StepBreak breaks = new StepBreak(() -> 0);
        StepBreak.Turn turn = breaks.turn();
        assertTrue(breaks.free());
        assertTimeoutPreemptively(PATIENCE, () -> turn.await(0.25, 1));
        breaks.begin();
        assertFalse(breaks.free());
        breaks.rest();
        assertTrue(breaks.free());
    }

    @Test
    void shouldNotHoldUpAStepThatNobodyAskedToBreak() {
        StepBreak breaks = new StepBreak(() -> 0); // a break, once given, would never end
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> breaks.give(STEP_NS));
    }

    @Test
    void shouldFreeAnAskingBuilderWhenTheDecodeLoopRests() {
        StepBreak breaks = new StepBreak(() -> 0);
        StepBreak.Turn turn = breaks.turn();
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Void> builder = start(() -> {
                turn.await(0.25, 1);
                return null;
            });
            breaks.rest();
            builder.get();
        });
    }

    @Test
    void shouldReturnAtOnceFromWaitingForARestWhenNoStepIsDone() {
        StepBreak breaks = new StepBreak(() -> 0);
        assertTimeoutPreemptively(PATIENCE, () -> breaks.awaitRest(() -> false));
    }

    @Test
    void shouldLetWhoeverWaitsForARestGoOnOnlyWhenTheDecodeLoopRests() {
        StepBreak breaks = new StepBreak(() -> 0);
        breaks.begin();
        CountDownLatch asked = new CountDownLatch(1);
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Boolean> waiter = start(() -> {
                breaks.awaitRest(() -> {
                    asked.countDown();
                    return false;
                });
                return breaks.free();
            });
            asked.await();
            breaks.give(STEP_NS); // no break is for it, and no step waits for it
            assertFalse(waiter.isDone());
            breaks.rest();
            assertTrue(waiter.get());
        });
    }

    @Test
    void shouldEndWaitingForARestWhenItIsGivenUp() {
        StepBreak breaks = new StepBreak(() -> 0);
        breaks.begin();
        AtomicBoolean givenUp = new AtomicBoolean();
        CountDownLatch asked = new CountDownLatch(1);
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Void> waiter = new FutureTask<>(() -> {
                breaks.awaitRest(() -> {
                    asked.countDown();
                    return givenUp.get();
                });
                return null;
            });
            Thread thread = Thread.ofPlatform().daemon().start(waiter);
            asked.await();
            givenUp.set(true);
            LockSupport.unpark(thread);
            waiter.get();
            assertFalse(breaks.free());
        });
    }

    @Test
    void shouldKeepAnInterruptForTheCallerWhoWaitsForARest() {
        StepBreak breaks = new StepBreak(() -> 0);
        breaks.begin();
        CountDownLatch asked = new CountDownLatch(1);
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Boolean> waiter = new FutureTask<>(() -> {
                Thread.currentThread().interrupt();
                breaks.awaitRest(() -> {
                    asked.countDown();
                    return false;
                });
                return Thread.interrupted();
            });
            Thread.ofPlatform().daemon().start(waiter);
            asked.await();
            breaks.rest();
            assertTrue(waiter.get());
        });
    }

    /** The clock stands, so that breaks end by the builder's word only. */
    @Test
    void shouldNeverHaveAStepAndASliceAtTheSameTime() {
        int turns = 2_000;
        StepBreak breaks = new StepBreak(() -> 0);
        StepBreak.Turn turn = breaks.turn();
        AtomicInteger inside = new AtomicInteger();
        ConcurrentLinkedQueue<Integer> met = new ConcurrentLinkedQueue<>();
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Void> builder = start(() -> {
                for (int i = 0; i < turns; i++) {
                    turn.await(0.25, 1);
                    met.add(inside.incrementAndGet());
                    inside.decrementAndGet();
                    turn.leave();
                }
                return null;
            });
            while (!builder.isDone()) {
                met.add(inside.incrementAndGet());
                inside.decrementAndGet();
                breaks.give(STEP_NS);
            }
            builder.get();
        });
        assertEquals(List.of(1), met.stream().distinct().toList());
    }

    /** The clock stands, so that breaks end by the builders' word only. */
    @Test
    void shouldEndABreakWhenTheLastBuilderHasLeft() {
        StepBreak breaks = new StepBreak(() -> 0);
        StepBreak.Turn first = breaks.turn();
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<List<Boolean>> builder = start(() -> {
                List<Boolean> free = new ArrayList<>();
                first.await(0.5, 1);
                StepBreak.Turn second = breaks.turn();
                free.add(second.mayWork(STEP_NS + 1)); // joined all the same
                free.add(second.mayWork(STEP_NS));
                second.leave();
                second.leave(); // counts once
                free.add(breaks.free());
                free.add(first.mayWork(1));
                second.await(0.5, 1);
                first.leave();
                free.add(breaks.free());
                second.leave();
                free.add(breaks.free());
                return free;
            });
            while (!builder.isDone()) {
                breaks.give(STEP_NS);
            }
            assertEquals(List.of(false, true, true, true, true, false), builder.get());
        });
    }

    /** The clock stands: a builder that kept its break while it waits for its turn to ask would keep it for ever. */
    @Test
    void shouldLeaveABreakThatIsTooShortBeforeItWaitsForAnotherBuilderToBeServed() {
        StepBreak breaks = new StepBreak(() -> 0);
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            CountDownLatch inBreak = new CountDownLatch(1);
            FutureTask<Void> second = start(() -> {
                inBreak.await();
                StepBreak.Turn turn = breaks.turn();
                turn.await(0.5, STEP_NS + 1);
                turn.leave();
                return null;
            });
            FutureTask<Void> first = start(() -> {
                StepBreak.Turn turn = breaks.turn();
                turn.await(0.5, 1);
                inBreak.countDown();
                while (!breaks.isAsked()) {
                    Thread.onSpinWait();
                }
                turn.await(0.5, STEP_NS + 1);
                turn.leave();
                return null;
            });
            while (!first.isDone() || !second.isDone()) {
                breaks.give(STEP_NS);
            }
            first.get();
            second.get();
        });
        assertFalse(breaks.free());
    }

    @Test
    void shouldGiveBreaksToSeveralBuilders() {
        int turns = 500;
        StepBreak breaks = new StepBreak(() -> 0);
        AtomicInteger inside = new AtomicInteger(); // builders between coming and leaving
        AtomicInteger met = new AtomicInteger(); // by a step
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            List<FutureTask<Void>> builders = Stream.generate(() -> start(() -> {
                StepBreak.Turn turn = breaks.turn();
                for (int i = 0; i < turns; i++) {
                    turn.await(0.25, 1);
                    inside.incrementAndGet();
                    inside.decrementAndGet();
                    turn.leave();
                }
                return (Void) null;
            })).limit(3).toList();
            while (!builders.stream().allMatch(Future::isDone)) {
                breaks.give(STEP_NS);
                met.addAndGet(inside.get());
            }
            for (FutureTask<Void> builder : builders) {
                builder.get();
            }
        });
        assertEquals(0, met.get());
        assertFalse(breaks.free());
        assertFalse(breaks.isAsked());
    }

    @Test
    void shouldTakeBackABreakThatIsOverdue() {
        AtomicLong clockNs = new AtomicLong();
        StepBreak breaks = new StepBreak(() -> clockNs.addAndGet(1_000_000)); // time passes whenever somebody looks
        StepBreak.Turn turn = breaks.turn();
        breaks.begin();
        CountDownLatch stepsGoOn = new CountDownLatch(1);
        assertTimeoutPreemptively(PATIENCE, () -> {
            CountDownLatch inBreak = new CountDownLatch(1);
            FutureTask<Void> builder = start(() -> {
                turn.await(0.25, 1);
                inBreak.countDown();
                stepsGoOn.await(); // a call that cannot be cut
                return null;
            });
            while (inBreak.getCount() > 0) {
                breaks.give(STEP_NS);
            }
            long givenNs = breaks.givenNs();
            assertTrue(givenNs > 0, "breaks were given, and took time");
            breaks.give(STEP_NS);
            assertEquals(givenNs, breaks.givenNs(), "nobody asked for this one");
            assertFalse(builder.isDone());
            assertFalse(breaks.free());
            stepsGoOn.countDown();
            builder.get();
        });
    }

    @Test
    void shouldGiveNoBreakAfterAStepThatTookLongUnlessTheyStayLong() {
        StepBreak breaks = new StepBreak(() -> 0);
        StepBreak.Turn turn = breaks.turn();
        breaks.begin();
        for (int i = 0; i < 10; i++) {
            breaks.give(STEP_NS);
        }
        AtomicInteger broke = new AtomicInteger();
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Void> builder = start(() -> {
                turn.await(0.25, 1);
                broke.incrementAndGet();
                turn.leave();
                return null;
            });
            while (builder.state() == Future.State.RUNNING && !breaks.isAsked()) {
                Thread.onSpinWait();
            }
            for (int i = 0; i < 4; i++) {
                breaks.give(10 * STEP_NS);
                assertEquals(0, broke.get());
            }
            breaks.give(10 * STEP_NS);
            builder.get();
        });
        assertEquals(1, broke.get());
    }

    @Test
    void shouldWaitForTheBreakThoughInterruptedAndKeepTheInterrupt() {
        StepBreak breaks = new StepBreak(() -> 0);
        StepBreak.Turn turn = breaks.turn();
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            AtomicBoolean stepping = new AtomicBoolean(true);
            FutureTask<Boolean> builder = start(() -> {
                Thread.currentThread().interrupt();
                turn.await(0.25, 1);
                return !stepping.get() && Thread.currentThread().isInterrupted();
            });
            while (builder.state() == Future.State.RUNNING && !breaks.isAsked()) {
                Thread.onSpinWait();
            }
            stepping.set(false);
            breaks.rest();
            assertTrue(builder.get());
        });
    }

    @Test
    void shouldEndABreakWhenItsTimeIsOver() {
        AtomicLong clockNs = new AtomicLong();
        StepBreak breaks = new StepBreak(clockNs::get);
        StepBreak.Turn turn = breaks.turn();
        breaks.begin();
        assertTimeoutPreemptively(PATIENCE, () -> {
            FutureTask<Boolean> builder = start(() -> {
                turn.await(0.5, 1);
                boolean before = breaks.free();
                clockNs.addAndGet(STEP_NS);
                boolean after = breaks.free();
                turn.leave();
                return before && !after;
            });
            while (!builder.isDone()) {
                breaks.give(STEP_NS);
            }
            assertTrue(builder.get());
        });
    }

    private static <T> FutureTask<T> start(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().name("test-builder").daemon().start(task);
        return task;
    }
}
