package dev.tidestream.server.transport.websocket;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class InputRateTest {
    private static final long SECOND_NS = 1_000_000_000;
    private static final int OWN_BURST = 256 << 10;

    private long nowNs = 1_000;
    private final InputRate rate = new InputRate(1 << 20, () -> nowNs);
    private final InputRate.Meter meter = rate.meter();

    @Test
    void shouldTakeTheAllowanceThenASecondOfTheBudgetThenWait() {
        assertEquals(0, meter.pauseNs(OWN_BURST));
        assertEquals(0, meter.pauseNs(1 << 20));
        assertEquals(SECOND_NS / 4, meter.pauseNs(256 << 10));
        assertEquals(1, rate.pauses());
    }

    @Test
    void shouldFillTheAllowanceAgain() {
        meter.pauseNs(OWN_BURST);
        nowNs += SECOND_NS;
        assertEquals(0, meter.pauseNs(64 << 10), "of its own");
        assertEquals(0, meter.pauseNs(1 << 20), "the whole budget is still there");
    }

    @Test
    void shouldNotSlowDownWhoSendsLittle() {
        meter.pauseNs(OWN_BURST);
        meter.pauseNs(16 << 20);
        InputRate.Meter other = rate.meter();
        assertEquals(0, other.pauseNs(OWN_BURST));
        assertEquals(15 * SECOND_NS + SECOND_NS / 1024, other.pauseNs(1 << 10), "beyond its own it waits behind the others");
    }

    @Test
    void shouldRefuseARateOfNothing() {
        assertThrows(IllegalArgumentException.class, () -> new InputRate(0, () -> nowNs));
    }
}
