package dev.tidestream.server.cli.terminal;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class ProgressTest {
    private final AtomicLong nowNs = new AtomicLong(Long.MAX_VALUE - 5); // a clock may wrap
    private final StringWriter terminal = new StringWriter();

    private Progress progress() {
        return new Progress(new PrintWriter(terminal), nowNs::get, "repacking", 100);
    }

    private void pass(int milliseconds) {
        nowNs.addAndGet(Duration.ofMillis(milliseconds).toNanos());
    }

    @Test
    void shouldStayQuietForASecond() {
        try (Progress progress = progress()) {
            pass(999);
            progress.advance(90);
        }
        assertEquals("", terminal.toString());
    }

    @Test
    void shouldDrawThenWipe() {
        try (Progress progress = progress()) {
            pass(1000);
            progress.advance(50);
            assertEquals("\rrepacking [===============>              ]  50 %", terminal.toString());
            pass(99);
            progress.advance(10); // too soon to draw again
            pass(1);
            progress.advance(1000); // no more than all
        }
        String all = "repacking [==============================] 100 %";
        assertEquals("\rrepacking [===============>              ]  50 %\r" + all + "\r" + " ".repeat(all.length()) + "\r",
                terminal.toString());
    }

    @Test
    void shouldDrawNothingWithoutATerminal() {
        try (Progress progress = new Progress(null, nowNs::get, "repacking", 100)) {
            pass(5000);
            progress.advance(50);
        }
        assertEquals("", terminal.toString());
    }
}
