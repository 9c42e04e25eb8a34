package dev.tidestream.server.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.scheduler.fair.Party;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PromptIntakeTest {
    private final ArrayDeque<Runnable> tokenizer = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();

    private PromptIntake intake(int maxPrompts, long maxBytes, long maxBytesPerConnection) {
        return new PromptIntake(new PromptLimits(maxPrompts, 1, maxBytes, maxBytesPerConnection), tokenizer::add);
    }

    private Optional<String> offer(PromptIntake intake, String connection, long bytes, String name) {
        return intake.offer(new Party(connection, connection), bytes, () -> done.add(name));
    }

    private void work(int prompts) {
        for (int i = 0; i < prompts; i++) {
            tokenizer.remove().run();
        }
    }

    @Test
    void shouldTakeConnectionsInTurnAndThePromptsOfEachInOrder() {
        PromptIntake intake = intake(100, 1000, 1000);
        for (String name : List.of("a1", "a2", "a3", "a4")) {
            offer(intake, "a", 1, name);
        }
        work(1);
        offer(intake, "b", 1, "b1");
        offer(intake, "c", 1, "c1");
        offer(intake, "b", 1, "b2");
        work(6);
        assertEquals(List.of("a1", "b1", "c1", "a2", "b2", "a3", "a4"), done);
        assertEquals(0, intake.prompts());
        assertEquals(0, intake.bytes());
    }

    /** By bytes, and a client is one however many connections it has. */
    @Test
    void shouldTakeClientsInTurnByBytes() {
        PromptIntake intake = intake(100, 1000, 1000);
        for (int i = 0; i < 3; i++) {
            String name = "a" + i;
            intake.offer(new Party("a", name), 10, () -> done.add(name));
        }
        for (String name : List.of("b1", "b2", "b3", "b4")) {
            offer(intake, "b", 5, name);
        }
        work(7);
        assertEquals(List.of("a0", "b1", "b2", "a1", "b3", "b4", "a2"), done);
        intake.offer(new Party("a", "a"), 1, () -> done.add("a"));
        assertEquals(1, intake.prompts());
    }

    @Test
    void shouldBoundPromptsAndKeepAQuarterForConnectionsThatHaveNone() {
        PromptIntake intake = intake(8, 1000, 1000);
        for (int i = 0; i < 6; i++) {
            assertEquals(Optional.empty(), offer(intake, "a", 1, "a"));
        }
        assertEquals(Optional.of("too many prompts wait to be tokenized: prompts=6, limit=6"), offer(intake, "a", 1, "a"));
        assertEquals(Optional.empty(), offer(intake, "b", 1, "b"));
        assertTrue(offer(intake, "b", 1, "b").isPresent());
        assertEquals(Optional.empty(), offer(intake, "c", 1, "c"));
        assertEquals(Optional.of("too many prompts wait to be tokenized: prompts=8, limit=8"), offer(intake, "d", 1, "d"));
        work(3);
        assertEquals(Optional.empty(), offer(intake, "b", 1, "b"));
    }

    @Test
    void shouldBoundBytesInAllAndOfAConnection() {
        PromptIntake intake = intake(100, 400, 200);
        assertEquals(Optional.empty(), offer(intake, "a", 150, "a"));
        assertEquals(Optional.of("prompts of this connection that wait to be tokenized are too long: waiting_bytes=150, "
                + "bytes=51, limit=200"),
                offer(intake, "a", 51, "a"));
        assertEquals(Optional.empty(), offer(intake, "a", 50, "a"));
        assertEquals(Optional.empty(), offer(intake, "b", 100, "b"));
        assertEquals(Optional.of("prompts that wait to be tokenized are too long: waiting_bytes=300, bytes=1, limit=300"),
                offer(intake, "b", 1, "b"));
        assertEquals(Optional.empty(), offer(intake, "c", 100, "c"));
        assertEquals(Optional.of("prompts that wait to be tokenized are too long: waiting_bytes=400, bytes=1, limit=400"),
                offer(intake, "d", 1, "d"));
        assertEquals(400, intake.bytes());
        work(1);
        assertEquals(250, intake.bytes());
    }

    @Test
    void shouldCountAPromptUntilItIsTokenizedEvenIfThatFails() {
        PromptIntake intake = intake(100, 400, 200);
        intake.offer(new Party("a", "a"), 100, () -> {
            assertEquals(1, intake.prompts());
            assertEquals(100, intake.bytes());
            throw new IllegalStateException("as if");
        });
        assertThrows(IllegalStateException.class, () -> work(1));
        assertEquals(0, intake.prompts());
        assertEquals(0, intake.bytes());
    }

    @Test
    void shouldForgetWhatTheTokenizerDidNotTake() {
        PromptIntake closed = new PromptIntake(new PromptLimits(10, 1, 10, 10), work -> {
            throw new RejectedExecutionException("as if");
        });
        assertThrows(RejectedExecutionException.class, () -> offer(closed, "a", 5, "a"));
        assertEquals(0, closed.prompts());
        assertEquals(0, closed.bytes());
    }

    /** Each task of the tokenizer does the work whose turn it is: that of a prompt whose own task is refused may be done by another's. */
    @Test
    void shouldDoTheWorkOfAllThatWereTakenWhenTheTokenizerClosesBetweenTwo() {
        boolean[] closes = {false};
        PromptIntake intake = new PromptIntake(new PromptLimits(10, 1, 100, 100), task -> {
            if (closes[0]) {
                work(1);
                throw new RejectedExecutionException("as if");
            }
            tokenizer.add(task);
        });
        offer(intake, "a", 10, "a1");
        offer(intake, "a", 1, "a2");
        work(1);
        closes[0] = true;
        assertEquals(Optional.empty(), offer(intake, "b", 1, "b1"));
        assertEquals(List.of("a1", "b1", "a2"), done);
        assertEquals(0, intake.prompts());
    }
}
