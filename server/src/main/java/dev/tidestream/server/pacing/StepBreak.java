package dev.tidestream.server.pacing;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Turns of the decode loop and of whoever builds the next epoch. Both use all they can get of the same cores, and a step meets at a
 * barrier a hundred times: a builder that runs at the same time takes a core away for whole slices of the system's scheduler, and
 * every barrier waits for it. So the builder works in the break between two steps, which the decode thread gives it when it asks,
 * and which is as long as the builder's share of the time says. A token is late by one break, and not by what the scheduler makes
 * of three busy threads.
 *
 * <p>While no step is done, the builder goes on as it likes. A break that the builder does not end (it is in a call that cannot be
 * cut) is ended by the decode thread, at twice its length: streams wait no longer for a build.
 *
 * <p>A step that took much longer than they usually do had its cores taken by somebody else, and the next one will likely fare no
 * better: there is no break then, so that a token is late for one reason at a time. After {@value #MOST_HELD_BACK} such steps in a row
 * the builder gets its break all the same, and what takes long for good soon counts as usual.
 *
 * <p>One decode thread. Several builders may be at work, each with a {@link Turn} of its own: they ask one after the other, who finds a
 * break open joins it, and it ends when all have left.
 */
public final class StepBreak {
    /** However long a step was, e.g. a long prompt's. */
    static final long LONGEST_NS = 100_000_000;

    private static final int MOST_HELD_BACK = 4;
    private static final int STEPS_OF_MEAN = 8;
    private static final int BUILDERS_BITS = 16;
    private static final long BUILDERS = (1L << BUILDERS_BITS) - 1;

    private final LongSupplier nanoClock;
    private final ReentrantLock builders = new ReentrantLock(); // of whoever asks
    private long usualNs; // moving mean, in which no step counts for more than twice the usual; the decode thread's
    private int heldBack; // breaks not given in a row; the decode thread's
    private volatile boolean stepping;
    private volatile @Nullable Turn asking; // whose thread is parked
    private volatile @Nullable Thread waiting; // whoever waits for a rest, parked
    private volatile double share;
    private volatile @Nullable Thread giving; // the decode thread, parked
    /** Number of the newest break, and how many builders are in it in the last bits: it is open as long as there are some. */
    private final AtomicLong newest = new AtomicLong();
    private volatile long endNs; // of the newest break
    private final AtomicLong givenNs = new AtomicLong(); // the decode thread's

    /** By the system's clock. */
    public StepBreak() {
        this(System::nanoTime);
    }

    /** @param nanoClock in place of the system's */
    public StepBreak(LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
    }

    // ---- the decode thread

    /** A step may begin: from now on a builder has to ask. */
    public void begin() {
        stepping = true;
    }

    /**
     * Between two steps: gives a break, if the builder has asked for one.
     *
     * @param stepNs how long the step took
     */
    public void give(long stepNs) {
        usualNs = usualNs == 0 ? stepNs : usualNs + (Math.min(stepNs, 2 * usualNs) - usualNs) / STEPS_OF_MEAN;
        Turn builder = asking;
        if (builder == null) {
            return;
        }
        if (stepNs > usualNs + usualNs / 4 && heldBack < MOST_HELD_BACK) {
            heldBack++;
            return;
        }
        heldBack = 0;
        give(builder, lengthNs(usualNs, share));
    }

    private void give(Turn builder, long lengthNs) {
        long startNs = nanoClock.getAsLong();
        long nowNs = startNs;
        long overdueNs = nowNs + 2 * lengthNs;
        giving = Thread.currentThread();
        endNs = nowNs + lengthNs;
        long number = number(newest.get()) + 1;
        newest.set(number << BUILDERS_BITS | 1);
        builder.mine = number; // after it is open: what it does first may be to leave
        LockSupport.unpark(builder.thread);
        for (; open() && overdueNs - nowNs > 0; nowNs = nanoClock.getAsLong()) {
            LockSupport.parkNanos(this, overdueNs - nowNs);
        }
        newest.set(number << BUILDERS_BITS);
        giving = null;
        givenNs.addAndGet(nowNs - startNs);
    }

    private static long number(long state) {
        return state >>> BUILDERS_BITS;
    }

    private boolean open() {
        return (newest.get() & BUILDERS) != 0;
    }

    /** How long all breaks were, together: what tokens were late for a builder's sake. Any thread. */
    public long givenNs() {
        return givenNs.get();
    }

    /** No step for now: a builder need not ask. */
    public void rest() {
        stepping = false;
        Turn builder = asking;
        if (builder != null) {
            LockSupport.unpark(builder.thread);
        }
        LockSupport.unpark(waiting);
    }

    /** Break and step together are the whole; the break is the builder's share of it. */
    static long lengthNs(long stepNs, double share) {
        return (long) Math.min(LONGEST_NS, stepNs * share / (1 - share));
    }

    // ---- the builder

    /** Whether a builder might work for now: no step is done, or a break has time left. */
    public boolean free() {
        return leftNs() > 0;
    }

    /** What a break has left, at most 0 without one; without end if no step is done. */
    private long leftNs() {
        if (open()) {
            return endNs - nanoClock.getAsLong();
        }
        return stepping ? 0 : Long.MAX_VALUE;
    }

    /** A turn for a builder. */
    public Turn turn() {
        return new Turn();
    }

    /** What one builder has of the breaks. One thread at a time. */
    public final class Turn {
        private static final long NONE = -1;

        private volatile long mine = NONE; // number of the break that this builder is in
        private volatile @Nullable Thread thread; // while it asks

        /**
         * Whether this builder may work for so long: no step is done, or a break is open, which it joins, and has so much left.
         *
         * @param neededNs above 0
         */
        public boolean mayWork(long neededNs) {
            if (!stepping && !open()) {
                return true;
            }
            return join() && endNs - nanoClock.getAsLong() >= neededNs;
        }

        /**
         * Returns when this builder may work: at once if it may for as long as needed, else in the next break, which may be shorter. An
         * interrupt is kept for the caller and ends no waiting. That is bounded by {@value #MOST_HELD_BACK} steps and one, as often as
         * others ask already.
         *
         * @param wanted share of the time that breaks may take, above 0 and below 1
         * @param neededNs above 0; how long the builder will work before it looks again, as far as it knows
         */
        public void await(double wanted, long neededNs) {
            if (mayWork(neededNs)) {
                return;
            }
            leave(); // whoever asks already gets no break before this one is over
            builders.lock();
            try {
                if (!mayWork(neededNs)) {
                    leave();
                    ask(wanted);
                }
            } finally {
                builders.unlock();
            }
        }

        private void ask(double wanted) {
            share = wanted;
            thread = Thread.currentThread();
            asking = this;
            boolean interrupted = false;
            while (stepping && mine == NONE) {
                LockSupport.park(StepBreak.this);
                interrupted |= Thread.interrupted();
            }
            asking = null;
            thread = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        /** Whether it is in an open break. */
        private boolean join() {
            for (long state = newest.get(); (state & BUILDERS) != 0; state = newest.get()) {
                if (mine == number(state)) {
                    return true;
                }
                if (newest.compareAndSet(state, state + 1)) {
                    mine = number(state);
                    return true;
                }
            }
            return false;
        }

        /** The builder needs no more of the break, if it is in one: who is the last to leave ends it. */
        public void leave() {
            for (long state = newest.get(); mine == number(state) && (state & BUILDERS) != 0; state = newest.get()) {
                if (newest.compareAndSet(state, state - 1)) {
                    if ((state & BUILDERS) == 1) {
                        LockSupport.unpark(giving);
                    }
                    break;
                }
            }
            mine = NONE;
        }
    }

    /**
     * Returns when no step is done, at once if none is: for work that can wait until nobody streams. An interrupt is kept for the
     * caller and ends no waiting. One thread at a time.
     *
     * @param givenUp ends the waiting, too; whoever makes it true wakes the thread
     */
    public void awaitRest(BooleanSupplier givenUp) {
        waiting = Thread.currentThread();
        boolean interrupted = false;
        while (stepping && !givenUp.getAsBoolean()) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        waiting = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether a builder waits for a break. */
    boolean isAsked() {
        return asking != null;
    }
}
