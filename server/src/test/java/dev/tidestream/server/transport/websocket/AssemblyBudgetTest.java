package dev.tidestream.server.transport.websocket;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.transport.common.AssemblyBudget;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AssemblyBudgetTest {
    private static final int MAX_MESSAGE_BYTES = 1000;

    private final AssemblyBudget budget = new AssemblyBudget(2500);
    private final List<MessageAssembler.Outcome.Refused> givenUp = new ArrayList<>();

    private MessageAssembler assembler() {
        return new MessageAssembler(MAX_MESSAGE_BYTES, budget, givenUp::add);
    }

    private static ByteBuffer x(int bytes) {
        return ByteBuffer.wrap("x".repeat(bytes).getBytes(StandardCharsets.US_ASCII));
    }

    private static MessageAssembler.Outcome.Refused refused(MessageAssembler.Outcome outcome) {
        return (MessageAssembler.Outcome.Refused) outcome;
    }

    @Test
    void shouldTakeMemoryForWhatHasComeOnly() {
        MessageAssembler assembler = assembler();
        assembler.accept(true, x(10), 900, false);
        assertTrue(budget.heldBytes() <= 256, "held=" + budget.heldBytes());
        assembler.accept(false, x(890), 10, false);
        assertTrue(budget.heldBytes() <= MAX_MESSAGE_BYTES, "held=" + budget.heldBytes());
        assertEquals("x".repeat(910), ((MessageAssembler.Outcome.Text) assembler.accept(false, x(10), 0, true)).text());
        assertEquals(0, budget.heldBytes());
    }

    /** Its length is announced: it is refused as soon as its head is there, and keeps no more than that. */
    @Test
    void shouldKeepNothingButTheHeadOfAMessageThatWillBeTooLarge() {
        MessageAssembler assembler = new MessageAssembler(1 << 20, new AssemblyBudget(2 << 20), givenUp::add);
        assertTrue(assembler.accept(true, x(100), 4 << 20, false) instanceof MessageAssembler.Outcome.Incomplete);
        assertTrue(assembler.heldBytes() <= 1024, "held=" + assembler.heldBytes());
        MessageAssembler.Outcome.Refused refused = refused(assembler.accept(false, x(60_000), (4 << 20) - 60_000, false));
        assertEquals(MessageAssembler.Reason.TOO_LARGE, refused.reason());
        assertEquals((4 << 20) + 100, refused.bytes());
        assertEquals("x".repeat(1024), refused.head());
        assertEquals(0, assembler.heldBytes());
        assertTrue(assembler.accept(false, x(60_000), 0, true) instanceof MessageAssembler.Outcome.Incomplete, "said once");
        assertTrue(assembler.accept(true, x(5), 0, true) instanceof MessageAssembler.Outcome.Text, "the next is read");
    }

    /** Two that hold much, and many that hold little: the one that wants more than any other holds is the one that gets none. */
    @Test
    void shouldRefuseTheOneThatWantsMost() {
        MessageAssembler first = assembler();
        MessageAssembler second = assembler();
        MessageAssembler third = assembler();
        first.accept(true, x(999), 1, false);
        second.accept(true, x(999), 1, false);
        third.accept(true, x(500), 500, false);
        MessageAssembler.Outcome.Refused refused = refused(third.accept(false, x(499), 1, false));
        assertEquals(MessageAssembler.Reason.NO_ROOM, refused.reason());
        assertEquals(1000, refused.bytes());
        assertEquals("x".repeat(999), refused.head());
        assertEquals(List.of(), givenUp);
        assertEquals(0, third.heldBytes());
    }

    @Test
    void shouldTakeTheRoomOfTheLargestForASmallOne() {
        MessageAssembler first = assembler();
        MessageAssembler second = assembler();
        first.accept(true, x(999), 1, false);
        second.accept(true, x(990), 1, false);
        for (int i = 0; i < 16; i++) {
            MessageAssembler small = assembler();
            assertTrue(small.accept(true, x(256), 1, false) instanceof MessageAssembler.Outcome.Incomplete);
            if (i < 9) {
                small.accept(false, x(1), 0, true);
            }
        }
        assertEquals(2, givenUp.size(), "both large ones had to go");
        assertEquals(MessageAssembler.Reason.NO_ROOM, givenUp.getFirst().reason());
        assertEquals(0, first.heldBytes());
        assertTrue(first.accept(false, x(1), 0, true) instanceof MessageAssembler.Outcome.Incomplete, "the rest is thrown away");
        assertTrue(first.accept(true, x(5), 0, true) instanceof MessageAssembler.Outcome.Text, "the next is read");
        assertTrue(budget.heldBytes() <= budget.limitBytes());
    }

    /** A body that somebody has to read yet counts, but it has come to its end: an unfinished one gives way. */
    @Test
    void shouldKeepWhatHasComeToItsEnd() {
        List<String> lost = new ArrayList<>();
        AssemblyBudget.Holder whole = holder(2000, () -> lost.add("whole"));
        assertTrue(budget.reserve(whole, 2000));
        budget.keep(whole);
        AssemblyBudget.Holder next = holder(0, () -> lost.add("next"));
        assertEquals(false, budget.reserve(next, 600));
        assertEquals(List.of(), lost);
        budget.free(2000);
        assertTrue(budget.reserve(next, 600));
        assertEquals(600, budget.heldBytes());
    }

    private static AssemblyBudget.Holder holder(int bytes, Runnable lost) {
        return new AssemblyBudget.Holder() {
            @Override
            public int heldBytes() {
                return bytes;
            }

            @Override
            public void giveUp() {
                lost.run();
            }
        };
    }
}
