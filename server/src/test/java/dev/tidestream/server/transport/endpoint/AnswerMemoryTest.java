package dev.tidestream.server.transport.endpoint;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AnswerMemoryTest {
    @Test
    void shouldBoundWhatAllHoldTogether() {
        AnswerMemory memory = new AnswerMemory(100);
        AnswerMemory.Share first = memory.share();
        AnswerMemory.Share second = memory.share();
        assertTrue(first.grow(40) && first.grow(60));
        assertTrue(second.grow(40));
        assertFalse(second.grow(41));
        assertEquals(100, memory.heldBytes(), "what was refused changes nothing");
        first.release();
        first.release();
        assertTrue(second.grow(100));
        second.release();
        assertEquals(0, memory.heldBytes());
    }
}
