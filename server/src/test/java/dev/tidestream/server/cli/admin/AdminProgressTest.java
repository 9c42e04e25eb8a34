package dev.tidestream.server.cli.admin;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;

import dev.tidestream.protocol.admin.AdminReply;
import dev.tidestream.server.cli.terminal.Progress;

import static org.junit.jupiter.api.Assertions.assertEquals;

class AdminProgressTest {
    private static final String HALF = "[===============>              ]  50 %";
    private static final String FULL = "[==============================] 100 %";

    private final AtomicLong nowNs = new AtomicLong();
    private final StringWriter terminal = new StringWriter();
    private final AdminProgress progress =
            new AdminProgress((label, total) -> new Progress(new PrintWriter(terminal), nowNs::get, label, total));

    private void say(String stage, long done, long of) {
        progress.accept(new AdminReply.Progress("r", stage, done, of));
        nowNs.addAndGet(1_000_000_000);
    }

    private static String wiped(String line) {
        return "\r" + " ".repeat(line.length()) + "\r";
    }

    @Test
    void shouldDrawABarPerStage() {
        try (progress) {
            say("building", 0, 10);
            say("building", 5, 10);
            say("building", 5, 10);
            say("verify\n", 0, 4);
            say("verify\n", 4, 4);
        }
        assertEquals("\rbuilding " + HALF + "\rbuilding " + HALF + wiped("building " + HALF)
                + "\rverify\\n " + FULL + wiped("verify\\n " + FULL), terminal.toString());
    }

    @Test
    void shouldNotDrawTheSameBytesTwiceNorAnEmptyStage() {
        try (progress) {
            say("sending", 0, 2);
            say("receiving", 0, 2);
            say("nothing", 0, 0);
            say("sending", 1, 2);
            say("receiving", 1, 2);
        }
        assertEquals("\rsending " + HALF + wiped("sending " + HALF), terminal.toString());
    }
}
