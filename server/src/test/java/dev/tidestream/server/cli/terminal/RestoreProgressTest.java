package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.LoggedLines;

import static org.junit.jupiter.api.Assertions.assertEquals;

class RestoreProgressTest {
    @Test
    void shouldSayHowFarItIsForAsLongAsItTakes() {
        AtomicLong nowNs = new AtomicLong(Long.MAX_VALUE - 10); // it overflows on the way
        StringWriter err = new StringWriter();
        try (LoggedLines logged = new LoggedLines("tidestream.server");
                RestoreProgress progress = new RestoreProgress(new PrintWriter(err), nowNs::get)) {
            progress.report("checking", 1, 2);
            progress.report("checking", 2, 2);
            assertEquals(List.of(), logged.lines(), "it was quick so far");
            nowNs.addAndGet(TimeUnit.SECONDS.toNanos(3));
            progress.report("building", 40, 112);
            progress.report("building", 41, 112);
            nowNs.addAndGet(TimeUnit.SECONDS.toNanos(1));
            progress.report("building", 60, 112);
            nowNs.addAndGet(TimeUnit.SECONDS.toNanos(1));
            progress.report("building", 80, 112);
            assertEquals(List.of("INFO restoring stage=building done=40 of=112", "INFO restoring stage=building done=80 of=112"),
                    logged.lines());
        }
        assertEquals("", err.toString(), "no terminal");
    }
}
