package dev.tidestream.loadtest;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.Test;

import dev.tidestream.loadtest.run.Live;

import static org.junit.jupiter.api.Assertions.assertEquals;

class TerminalTest {
    @Test
    void shouldWriteOverOneLine() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        terminal.at(Live.of("starting", 0).withLabel("a server"));
        terminal.at(new Live("", "measuring", 0.5, 123.4, 4, 2, 17, 5.25, 9, 0));
        terminal.clear();
        assertEquals("\r\u001b[K\u001b[?7lstarting a server …\u001b[?7h"
                + "\r\u001b[K\u001b[?7lmeasuring  [██████████··········]  50 %    123.4 tok/s    4 on 2     17 done"
                + "  ttft 5.3/9.0 ms\u001b[?7h\r\u001b[K", bytes.toString(StandardCharsets.UTF_8));
    }

    @Test
    void shouldDoWithoutUnicodeAndNameBreaches() {
        Live live = new Live("openai, 4 streams", "draining", 1, 0, 0, 1, 3, 1, 2, 5);
        assertEquals("draining openai, 4 streams [####################] 100 %  BREACHES: 5      0.0 tok/s    0 on 1      3 done"
                + "  ttft 1.0/2.0 ms", Terminal.line(live, false));
    }
}
