package dev.tidestream.server.engine;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.ServerTexts;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.QueueLimits;
import dev.tidestream.server.scheduler.Scheduler;
import dev.tidestream.server.scheduler.SchedulerConfig;
import dev.tidestream.server.scheduler.SequenceRequest;
import dev.tidestream.server.scheduler.status.StreamStatus;

/**
 * The duty cycle of the one thread that owns the scheduler, {@code tidestream-decode}: take in what has come, do a step, again.
 *
 * <p>New requests come through a bounded queue. Demand, cancellation and stops are flags of their streams, read at every step: they
 * can neither be refused nor pile up. Whoever changes one calls {@link #wake}.
 *
 * <p><b>No wake-up is lost.</b> {@code awake} is cleared before a cycle looks at anything, and set by {@code wake} after the change.
 * So a change is seen by the cycle, or the flag is seen before parking, or the thread is unparked.
 */
final class DecodeLoop implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(DecodeLoop.class);

    /** What became of a request. */
    enum Outcome {
        /** It is the decode thread's. */
        TAKEN,
        /** The queue is full, or its requests hold too much. */
        BUSY,
        /** No request is taken any more. */
        SHUTTING_DOWN,
        /** The decode thread has died of a fault, see {@link #failed}. */
        FAILED
    }

    private final Scheduler scheduler;
    private final LongSupplier nanoClock;
    private final StepBreak stepBreak;
    private final ConcurrentLinkedQueue<SequenceRequest> inbox = new ConcurrentLinkedQueue<>();
    private final AtomicInteger inboxRequests = new AtomicInteger();
    private final AtomicLong inboxBytes = new AtomicLong();
    private volatile QueueLimits limits; // of the inbox
    private final AtomicReference<@Nullable SchedulerConfig> newer = new AtomicReference<>();
    private final AtomicBoolean awake = new AtomicBoolean();
    private final AtomicReference<@Nullable CompletableFuture<List<StreamStatus>>> survey = new AtomicReference<>();
    private final Thread thread = Thread.ofPlatform().name("tidestream-decode").unstarted(this);
    private volatile boolean shuttingDown;
    private volatile boolean ended;
    private volatile boolean failed;
    private volatile long shutdownDeadlineNs;

    /**
     * @param inbox bounds what waits to be taken in
     * @param stepBreak in which the next epoch is built
     */
    DecodeLoop(Scheduler scheduler, QueueLimits inbox, LongSupplier nanoClock, StepBreak stepBreak) {
        this.scheduler = scheduler;
        this.nanoClock = nanoClock;
        this.stepBreak = stepBreak;
        this.limits = inbox;
    }

    /** What bounds requests that the decode thread has not taken in, as it bounds those that it has. Any thread. */
    QueueLimits limits() {
        return limits;
    }

    /** Takes other limits before the next step ({@link Scheduler#reconfigure}); any thread. */
    void reconfigure(SchedulerConfig config) {
        limits = config.queue();
        newer.set(config);
        wake();
    }

    void start() {
        thread.start();
    }

    /** Hands a request over; any thread. */
    Outcome submit(SequenceRequest request) {
        if (shuttingDown || failed) {
            return refusal();
        }
        QueueLimits now = limits;
        boolean tooMany = inboxRequests.incrementAndGet() > now.maxQueued();
        if (inboxBytes.addAndGet(bytes(request)) > now.maxBytes() || tooMany) {
            gone(request);
            return Outcome.BUSY;
        }
        inbox.add(request);
        if (ended && inbox.remove(request)) {
            gone(request);
            return refusal();
        }
        wake();
        return Outcome.TAKEN;
    }

    private void gone(SequenceRequest request) {
        inboxBytes.addAndGet(-bytes(request));
        inboxRequests.decrementAndGet();
    }

    private static long bytes(SequenceRequest request) {
        return request.memory().bytes(Math.addExact(request.prompt().length, request.generated().length));
    }

    private Outcome refusal() {
        return failed ? Outcome.FAILED : Outcome.SHUTTING_DOWN;
    }

    /** Whether the decode thread has died of a fault, so that no stream is served until there is another engine. Any thread. */
    boolean failed() {
        return failed;
    }

    /**
     * The streams at the end of a step that is to come, or none if there is no other; whoever asks meanwhile gets the same answer. What
     * depends on it is run by the decode thread, so wait for it. Any thread.
     */
    CompletableFuture<List<StreamStatus>> streams() {
        CompletableFuture<List<StreamStatus>> mine = new CompletableFuture<>();
        CompletableFuture<List<StreamStatus>> others = survey.compareAndExchange(null, mine);
        if (ended) {
            mine.complete(List.of());
            return mine;
        }
        wake();
        return others == null ? mine : others;
    }

    private void answerSurvey() {
        CompletableFuture<List<StreamStatus>> asked = survey.getAndSet(null);
        if (asked != null) {
            asked.complete(scheduler.survey());
        }
    }

    /** Something has changed; any thread. */
    void wake() {
        if (!awake.getAndSet(true)) {
            LockSupport.unpark(thread);
        }
    }

    /** Takes no more requests; those there are may finish until the deadline. Any thread. */
    void shutdown(long deadlineNs) {
        shutdownDeadlineNs = deadlineNs;
        shuttingDown = true;
        wake();
    }

    /** Waits until the thread has ended, or, if it was never started, does its work here. */
    void join() throws InterruptedException {
        if (thread.getState() == Thread.State.NEW) {
            run();
        } else {
            thread.join();
        }
    }

    /** One cycle; how much was done, 0 if nothing can be done for now. */
    int doWork() {
        SchedulerConfig config = newer.getAndSet(null);
        if (config != null) {
            scheduler.reconfigure(config);
        }
        int work = takeIn();
        try {
            if (shuttingDown && nanoClock.getAsLong() - shutdownDeadlineNs >= 0) {
                scheduler.failAll(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
            }
            int rows = scheduler.step();
            answerSurvey();
            return work + rows;
        } catch (Throwable e) {
            scheduler.failAll(ErrorCode.INTERNAL, ServerTexts.FAULT);
            log.error("decode step failed; every stream ends", e);
            return work + 1;
        }
    }

    /** At most as many requests as the queue holds, so that steps go on however fast they come. */
    private int takeIn() {
        int taken = 0;
        for (int left = inboxRequests.get(); left > 0; left--) {
            SequenceRequest request = inbox.poll();
            if (request == null) { // it is counted, and not there yet
                break;
            }
            gone(request);
            taken++;
            try {
                scheduler.submit(request);
            } catch (RuntimeException | Error e) {
                refuse(request, ErrorCode.INTERNAL, ServerTexts.FAULT);
                log.error("request could not be queued: stream={}", request.stream(), e);
            }
        }
        return taken;
    }

    /**
     * Cycles until shut down. A step that fails ends its streams and the next one goes on, see {@link #doWork}; a fault of the loop
     * itself ends all streams, those to come too, rather than leave them without an answer.
     */
    @Override
    public void run() {
        try {
            cycle();
            end(ErrorCode.SHUTTING_DOWN, ServerTexts.SHUTTING_DOWN);
        } catch (RuntimeException | Error e) {
            failed = true;
            end(ErrorCode.INTERNAL, ServerTexts.FAULT);
            log.error("decode thread failed; no stream is served until the server is started anew", e);
        }
    }

    /** Takes nothing from now on, and answers whoever is left; after an orderly end those alone who came in between. */
    private void end(ErrorCode code, String message) {
        ended = true;
        stepBreak.rest();
        scheduler.failAll(code, message);
        answerSurvey();
        for (SequenceRequest late = inbox.poll(); late != null; late = inbox.poll()) {
            refuse(late, code, message);
        }
    }

    /** Throws nothing, since others wait for their answers. */
    private static void refuse(SequenceRequest request, ErrorCode code, String message) {
        try {
            request.client().failed(code, message);
        } catch (RuntimeException | Error e) {
            log.error("a stream could not be told that it failed: stream={}, code={}", request.stream(), code, e);
        }
    }

    private void cycle() {
        while (!(shuttingDown && inbox.isEmpty() && scheduler.isEmpty())) {
            awake.set(false);
            long startNs = nanoClock.getAsLong();
            stepBreak.begin();
            if (doWork() > 0) {
                stepBreak.give(nanoClock.getAsLong() - startNs);
            } else {
                stepBreak.rest();
                idle();
            }
        }
    }

    private void idle() {
        long untilNs = scheduler.untilTimeoutNs();
        if (shuttingDown) {
            untilNs = Math.min(untilNs, shutdownDeadlineNs - nanoClock.getAsLong());
        }
        if (awake.get()) {
            return;
        }
        if (untilNs == Long.MAX_VALUE) {
            LockSupport.park(this);
        } else {
            LockSupport.parkNanos(this, untilNs);
        }
    }
}
