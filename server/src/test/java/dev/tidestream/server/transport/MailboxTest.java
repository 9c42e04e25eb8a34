package dev.tidestream.server.transport;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.transport.common.Mailbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MailboxTest {
    @Test
    void shouldRunManyTasksInOneHopAndLeaveRoomForOthers() {
        Queue<Runnable> loop = new ArrayDeque<>();
        Mailbox mailbox = new Mailbox(loop::add);
        List<Integer> ran = new ArrayList<>();
        IntStream.range(0, 600).forEach(i -> mailbox.post(() -> ran.add(i)));
        assertEquals(1, loop.size());
        List<Integer> batches = new ArrayList<>();
        while (!loop.isEmpty()) {
            int before = ran.size();
            loop.remove().run();
            batches.add(ran.size() - before);
        }
        assertEquals(List.of(256, 256, 88), batches);
        assertEquals(IntStream.range(0, 600).boxed().toList(), ran);
    }

    /** It is a fault of ours, and no reason to hold back what others have posted, then or later. */
    @Test
    void shouldGoOnAfterATaskThatThrows() {
        Queue<Runnable> loop = new ArrayDeque<>();
        Mailbox mailbox = new Mailbox(loop::add);
        List<Integer> ran = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            mailbox.post(() -> ran.add(1));
            mailbox.post(() -> {
                throw new IllegalStateException("scripted");
            });
            mailbox.post(() -> ran.add(2));
            loop.remove().run();
        }
        assertEquals(List.of(1, 2, 1, 2), ran);
        assertTrue(loop.isEmpty());
    }

    @Test
    void shouldLoseNothingPostedByManyThreads() throws InterruptedException {
        int threads = 4;
        int posts = 20_000;
        CountDownLatch all = new CountDownLatch(threads * posts);
        int[] last = new int[threads];
        List<String> disorder = new ArrayList<>();
        try (ExecutorService loop = Executors.newSingleThreadExecutor()) {
            Mailbox mailbox = new Mailbox(loop);
            List<Thread> posters = IntStream.range(0, threads)
                    .mapToObj(t -> Thread.ofPlatform().start(() -> IntStream.rangeClosed(1, posts).forEach(i -> mailbox.post(() -> {
                        if (i != last[t] + 1) {
                            disorder.add(t + ":" + i);
                        }
                        last[t] = i;
                        all.countDown();
                    }))))
                    .toList();
            assertTrue(all.await(60, TimeUnit.SECONDS), "lost: " + all.getCount());
            for (Thread poster : posters) {
                poster.join();
            }
        }
        assertEquals(List.of(), disorder);
    }

    @Test
    void shouldRememberOnlyTheLastIds() {
        RecentIds ids = new RecentIds(2);
        List.of("a", "b", "a", "c").forEach(ids::add);
        assertTrue(ids.contains("a") && ids.contains("c"));
        assertEquals(false, ids.contains("b"));
        RecentIds none = new RecentIds(0);
        none.add("a");
        assertEquals(false, none.contains("a"));
    }
}
