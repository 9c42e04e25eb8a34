package dev.tidestream.server.engine;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.tensor.WorkerTeam;

/**
 * The team that shares kernel work: the caller and {@code size - 1} daemon threads, {@code tidestream-kernel-*}.
 *
 * <p>A forward pass crosses about a hundred parallel regions, so one must cost microseconds: workers spin for a while between
 * regions and park only then; a region allocates nothing and takes no lock.
 *
 * <p><b>No worker can mistake a region.</b> One word says which region is open, how many chunks it has, and how many are
 * claimed:
 * <pre>
 *   63            32 31          16 15           0
 *  ┌────────────────┬──────────────┬──────────────┐
 *  │ region number  │ chunks       │ claimed      │
 *  └────────────────┴──────────────┴──────────────┘
 * </pre>
 * A chunk is claimed by a compare-and-set of the whole word, so a claim made with a look at an older region fails. The task's
 * fields are written before the word and read after a successful claim; a region cannot end before its claimed chunks have, so
 * they stand still for as long as the claimant reads them. A worker that comes late finds every chunk claimed and does nothing.
 *
 * <p>One caller at a time, checked. Idle threads are parked and use no CPU.
 */
public final class KernelWorkers implements WorkerTeam, AutoCloseable {
    private static final int MAX_THREADS = 1024;
    private static final int CHUNK_BITS = 16;
    private static final int REGION_SHIFT = 2 * CHUNK_BITS;
    private static final int CHUNK_MASK = (1 << CHUNK_BITS) - 1;
    private static final long SPIN_NS = 50_000;
    private static final int SPINS_PER_CLOCK_READ = 64;
    private static final int PLANS = 64;

    private final Worker[] workers;
    private final AtomicLong control = new AtomicLong();
    private final AtomicInteger unfinished = new AtomicInteger();
    private final AtomicBoolean busy = new AtomicBoolean();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile @Nullable Thread waitingCaller;
    private volatile boolean closed;

    // The open region; written before control, read after a claim.
    private @Nullable RangeTask task;
    private int[] starts = {}; // (chunks + 1)

    private final ChunkPlan[] plans = new ChunkPlan[PLANS]; // those of the last regions; the caller's

    /** @param threads the caller's included, 1 to {@value #MAX_THREADS} */
    public KernelWorkers(int threads) {
        if (threads < 1 || threads > MAX_THREADS) {
            throw new IllegalArgumentException("threads out of range: threads=%d, limit=%d".formatted(threads, MAX_THREADS));
        }
        Arrays.fill(plans, ChunkPlan.NONE);
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    @Override
    public int size() {
        return workers.length + 1;
    }

    @Override
    public void forEachRange(int count, int grain, RangeTask work) {
        if (count < 0 || grain < 1) {
            throw new IllegalArgumentException("no such region: items=%d, grain=%d".formatted(count, grain));
        }
        if (closed || !busy.compareAndSet(false, true)) {
            throw new IllegalStateException(closed ? "kernel workers are closed" : "a region is open: one caller at a time");
        }
        try {
            if (count <= grain || workers.length == 0) {
                if (count > 0) {
                    work.run(0, count);
                }
                return;
            }
            open(work, plan(count, grain).starts());
            claimChunks();
            awaitEnd();
            task = null;
        } finally {
            busy.set(false);
        }
        rethrow(failure.getAndSet(null));
    }

    /** A pass has few kinds of regions, and they come again and again. */
    private ChunkPlan plan(int count, int grain) {
        int slot = (count * 31 + grain) & (PLANS - 1);
        ChunkPlan plan = plans[slot];
        if (plan.items() != count || plan.grain() != grain) {
            plan = ChunkPlan.of(count, grain, size(), CHUNK_MASK);
            plans[slot] = plan;
        }
        return plan;
    }

    private void open(RangeTask work, int[] chunkStarts) {
        int chunks = chunkStarts.length - 1;
        task = work;
        starts = chunkStarts;
        unfinished.set(chunks);
        long region = (control.get() >>> REGION_SHIFT) + 1;
        control.set((region << REGION_SHIFT) | ((long) chunks << CHUNK_BITS));
        for (Worker worker : workers) {
            worker.wakeIfParked();
        }
    }

    private static boolean hasUnclaimed(long word) {
        return (word & CHUNK_MASK) < ((word >>> CHUNK_BITS) & CHUNK_MASK);
    }

    /** Runs chunks until all are claimed. */
    private void claimChunks() {
        long word = control.get();
        while (hasUnclaimed(word)) {
            long witness = control.compareAndExchange(word, word + 1);
            if (witness == word) {
                runChunk((int) (word & CHUNK_MASK));
                word = control.get();
            } else {
                word = witness;
            }
        }
    }

    private void runChunk(int chunk) {
        try {
            RangeTask work = task;
            if (work == null) {
                throw new IllegalStateException("claimed a chunk of no region: chunk=" + chunk);
            }
            work.run(starts[chunk], starts[chunk + 1]);
        } catch (Throwable e) {
            Throwable first = failure.compareAndExchange(null, e);
            if (first != null && !first.equals(e)) {
                first.addSuppressed(e);
            }
        } finally {
            if (unfinished.decrementAndGet() == 0) {
                LockSupport.unpark(waitingCaller);
            }
        }
    }

    private void awaitEnd() {
        long spinUntilNs = System.nanoTime() + SPIN_NS;
        while (unfinished.get() != 0) {
            for (int i = 0; i < SPINS_PER_CLOCK_READ && unfinished.get() != 0; i++) {
                Thread.onSpinWait();
            }
            if (unfinished.get() != 0 && System.nanoTime() - spinUntilNs > 0) {
                waitingCaller = Thread.currentThread();
                while (unfinished.get() != 0) {
                    LockSupport.park(this);
                }
                waitingCaller = null;
            }
        }
    }

    private static void rethrow(@Nullable Throwable thrown) {
        switch (thrown) {
            case null -> { }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException("a task threw what it may not", e);
        }
    }

    /** Ends the threads; not while a region is open. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker extends Thread {
        private volatile boolean parked;

        Worker(int number) {
            super("tidestream-kernel-" + number);
            setDaemon(true);
        }

        void wakeIfParked() {
            if (parked) {
                LockSupport.unpark(this);
            }
        }

        @Override
        public void run() {
            while (!closed) {
                if (spinForWork()) {
                    claimChunks();
                } else {
                    parked = true;
                    while (!closed && !hasUnclaimed(control.get())) {
                        LockSupport.park(KernelWorkers.this);
                    }
                    parked = false;
                }
            }
        }

        private boolean spinForWork() {
            long untilNs = System.nanoTime() + SPIN_NS;
            do {
                for (int i = 0; i < SPINS_PER_CLOCK_READ; i++) {
                    if (hasUnclaimed(control.get())) {
                        return true;
                    }
                    Thread.onSpinWait();
                }
            } while (!closed && System.nanoTime() - untilNs < 0);
            return false;
        }
    }
}
