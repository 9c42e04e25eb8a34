package dev.tidestream.server.logging;

import java.util.List;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertEquals;

class BackgroundLogTest {
    private static final String LOGGER = "tidestream.test.background";

    @Test
    void shouldWriteInOrderAndCountWhatItCannotHold() throws InterruptedException {
        try (LoggedLines lines = new LoggedLines(LOGGER)) {
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch goOn = new CountDownLatch(1);
            try (BackgroundLog log = new BackgroundLog(EventLog.of(LOGGER), 2)) {
                log.done(() -> {
                    begun.countDown();
                    await(goOn);
                    return EventLine.of("a");
                });
                begun.await();
                for (String event : List.of("b", "c", "lost", "lost")) {
                    log.done(() -> EventLine.of(event));
                }
                goOn.countDown();
            }
            assertEquals(List.of("INFO a suppressed=2", "INFO b", "INFO c"), lines.lines());
        }
    }

    @Test
    void shouldGoOnAfterALineThatCannotBeMade() {
        try (LoggedLines lines = new LoggedLines(LOGGER);
                LoggedLines faults = new LoggedLines(BackgroundLog.class.getName())) {
            try (BackgroundLog log = new BackgroundLog(EventLog.of(LOGGER), 3)) {
                log.done(() -> {
                    throw new IllegalStateException("no line");
                });
                log.done(() -> EventLine.of("a"));
            }
            assertEquals(List.of("INFO a suppressed=1"), lines.lines());
            assertEquals(1, faults.lines().size(), faults.lines().toString());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
