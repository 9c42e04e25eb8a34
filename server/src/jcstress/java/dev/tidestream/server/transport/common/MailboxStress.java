package dev.tidestream.server.transport.common;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * The hand-over of a stream's signals from the decode thread to the event loop, while the event loop posts, too: every task runs
 * once, in the order of its poster, and no two at a time, so tasks may use plain memory.
 */
@JCStressTest
@Outcome(id = "4, 0, 0", expect = Expect.ACCEPTABLE, desc = "All run once, in order, one after the other.")
@State
public class MailboxStress {
    private final Queue<Runnable> eventLoop = new ConcurrentLinkedQueue<>();
    private final Mailbox mailbox = new Mailbox(eventLoop::add);

    // Of the event loop; plain memory, since tasks are serial.
    private int ran;
    private int outOfOrder;
    private final int[] last = new int[2];
    private boolean running;
    private int atOnce;

    private void post(int thread, int number) {
        mailbox.post(() -> {
            if (running) {
                atOnce++;
            }
            running = true;
            if (last[thread] != number - 1) {
                outOfOrder++;
            }
            last[thread] = number;
            ran++;
            running = false;
        });
    }

    @Actor
    public void decodeThread() {
        post(0, 1);
        post(0, 2);
    }

    @Actor
    public void eventLoop() {
        post(1, 1);
        run();
        post(1, 2);
        run();
    }

    private void run() {
        Runnable drain;
        while ((drain = eventLoop.poll()) != null) {
            drain.run();
        }
    }

    /** What was posted after the event loop had looked. */
    @Arbiter
    public void after(III_Result r) {
        run();
        r.r1 = ran;
        r.r2 = outOfOrder;
        r.r3 = atOnce;
    }
}
