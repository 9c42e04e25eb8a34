package dev.tidestream.server.admin.channel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminReply;

import static org.junit.jupiter.api.Assertions.assertEquals;

class ThrottledProgressTest {
    @Test
    void shouldPassOnTheFirstOfAStageThenOnePerInterval() {
        AtomicLong nowNs = new AtomicLong(Long.MAX_VALUE - 50); // it may wrap
        List<AdminReply> out = new ArrayList<>();
        ThrottledProgress progress = new ThrottledProgress("r", 100, nowNs::get, out::add);
        progress.report("a", 0, 9);
        progress.report("a", 1, 9);
        nowNs.addAndGet(99);
        progress.report("a", 2, 9);
        nowNs.addAndGet(1);
        progress.report("a", 3, 9);
        progress.report("b", 0, 1);
        progress.report("b", 1, 1);
        progress.report("a", 4, 9);
        nowNs.addAndGet(100);
        progress.end();
        progress.report("a", 9, 9);
        assertEquals(
                List.of(
                        new AdminReply.Progress("r", "a", 0, 9),
                        new AdminReply.Progress("r", "a", 3, 9),
                        new AdminReply.Progress("r", "b", 0, 1),
                        new AdminReply.Progress("r", "a", 4, 9)),
                out);
    }
}
