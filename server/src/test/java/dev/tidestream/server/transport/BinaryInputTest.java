package dev.tidestream.server.transport;

import java.util.Optional;

import io.vertx.core.buffer.Buffer;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BinaryInputTest {
    private static final BinaryInput UNEXPECTED = new BinaryInput.Unexpected();
    private static final BinaryInput DISCARDED = new BinaryInput.Discarded();

    private final PayloadFlow flow = new PayloadFlow("a", 4);
    private final BinaryInput payload = new BinaryInput.Payload(flow, false);

    private void receive(int bytes) {
        flow.add(Buffer.buffer(new byte[bytes]), 0);
    }

    @Test
    void shouldWantBytesUntilThePayloadIsComplete() {
        receive(3);
        assertEquals(Optional.of(flow), payload.wanting());
        receive(1);
        assertEquals(Optional.empty(), payload.wanting());
        assertEquals(Optional.of(flow), payload.unanswered());
        assertFalse(payload.discards(), "more than that is refused");
    }

    @Test
    void shouldExpectNothingOnceACompletePayloadIsApplied() {
        receive(4);
        assertEquals(UNEXPECTED, payload.answered(flow, true));
    }

    @Test
    void shouldThrowAwayWhatIsOnItsWayForARefusedUpdate() {
        receive(3);
        assertEquals(DISCARDED, payload.answered(flow, false));
        assertEquals(DISCARDED, payload.answered(flow, true), "it was applied before, and its payload not wanted");
        assertEquals(DISCARDED, UNEXPECTED.refused());
        assertTrue(DISCARDED.discards());
    }

    @Test
    void shouldThrowAwayThePayloadOfAnUpdateRefusedBesideAnotherOne() {
        BinaryInput both = payload.refused();
        assertEquals(Optional.of(flow), both.wanting(), "its own comes first");
        receive(4);
        assertTrue(both.discards());
        assertEquals(DISCARDED, both.answered(flow, true));
    }

    @Test
    void shouldNotTakeTheAnswerOfAnotherUpdateForItsOwn() {
        assertEquals(payload, payload.answered(new PayloadFlow("b", 4), true));
    }
}
