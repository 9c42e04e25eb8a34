package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.protocol.options.Urgency;
import dev.tidestream.server.scheduler.fair.Party;
import dev.tidestream.server.scheduler.fair.Standing;

import static dev.tidestream.server.scheduler.SchedulerFixture.prompt;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Nobody delays another's first token by more than its share. Rows are counted, not time: be Q the rows of a turn, and n the
 * accounts that have prompts. A prompt of p tokens needs ceil(p / Q) turns, before each of which every other account has one of Q rows at
 * most, so it is done after (n - 1) * Q * ceil(p / Q) + p rows of prompts, whatever the others have queued.
 */
class FirstTokenTest {
    private static final int TURN = 8; // rows, and also the rows of prompts in a step that decodes
    private static final int SLOTS = 4;

    private static long bound(int accounts, int promptTokens) {
        long turns = Math.ceilDiv((long) promptTokens, TURN);
        return (accounts - 1L) * TURN * turns + promptTokens;
    }

    /** Rows of prompts that are computed until a client has a token; at most one of a token that is computed beside in each pass. */
    private static long prefilledUntilFirstToken(SchedulerFixture f, FakeClient client) {
        long rows = 0;
        while (client.tokens.isEmpty()) {
            assertTrue(f.scheduler.step() > 0, "stands still");
            rows += f.model.lastPass().stream().mapToInt(Slice::count).filter(count -> count > 1).sum();
        }
        return rows;
    }

    @ParameterizedTest
    @CsvSource({"5", "8", "20", "100"})
    void shouldDelayAShortPromptByOneTurnOfAClientThatQueuesAHundredLongOnes(int promptTokens) {
        SchedulerFixture f = new SchedulerFixture(SLOTS, 256, TURN, 256);
        Party greedy = new Party("A", "a1");
        for (int i = 0; i < 100; i++) {
            f.submit(greedy, prompt(200, i), 5, Urgency.DEFAULT);
        }
        f.steps(9);
        FakeClient other = f.submit(new Party("B", "b1"), prompt(promptTokens, 77), 5, Urgency.DEFAULT);
        long rows = prefilledUntilFirstToken(f, other);
        assertTrue(rows <= bound(2, promptTokens) + TURN * 7, "rows=%d, bound=%d".formatted(rows, bound(2, promptTokens)));
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(promptTokens, 77), 5), other.ids());
    }

    /** Many connections of one account are no more than one. */
    @Test
    void shouldDelayItByNoMoreThoughTheClientHasFiftyConnections() {
        SchedulerFixture f = new SchedulerFixture(16, 256, TURN, 256);
        for (int i = 0; i < 50; i++) {
            f.submit(new Party("A", "a" + i), prompt(200, i), 5, Urgency.DEFAULT);
        }
        f.submit(new Party("Z", "z"), prompt(3, 0), 200, Urgency.DEFAULT); // decodes all the time: steps have 8 rows of prompts
        f.steps(9);
        FakeClient other = f.submit(new Party("B", "b1"), prompt(5, 77), 5, Urgency.DEFAULT);
        f.steps(2);
        assertTrue(other.tokens.size() >= 1, "a turn of A, and its own");
    }

    /** Slots that become free go to whom was served least, in tokens and not in streams. */
    @Test
    void shouldGiveAccountsTheSameTokensThoughOneHasLongPromptsAndManyConnections() {
        SchedulerFixture f = new SchedulerFixture(1, 600, 64, 256);
        List<FakeClient> ofA = new ArrayList<>();
        List<FakeClient> ofB = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            ofA.add(f.submit(new Party("A", "a" + i), prompt(100, i), 10, Urgency.DEFAULT));
            ofB.add(f.submit(new Party("B", "b"), prompt(2, i), 9, Urgency.DEFAULT));
            ofB.add(f.submit(new Party("B", "b"), prompt(2, i), 9, Urgency.DEFAULT));
        }
        while (ofB.stream().filter(FakeClient::ended).count() < 100) {
            f.steps(1);
        }
        long tokensOfA = ofA.stream().filter(FakeClient::ended).count() * 110;
        assertTrue(Math.abs(tokensOfA - 100 * 11) <= 2 * 110 + 2 * 11, "tokens=" + tokensOfA);
    }

    @Test
    void shouldShareSlotsAmongAccountsFirstAndThenAmongTheirConnections() {
        SchedulerFixture f = new SchedulerFixture(4, 64, TURN, 256);
        for (int i = 0; i < 8; i++) {
            f.submit(new Party("A", "a" + i), prompt(5, i), 200, Urgency.DEFAULT);
        }
        f.steps(3);
        FakeClient first = f.submit(new Party("B", "b1"), prompt(5, 50), 200, Urgency.DEFAULT);
        f.steps(2);
        assertEquals(1, f.scheduler.stats().slotsGivenBack(), "A has three");
        assertTrue(first.tokens.size() >= 1);
        FakeClient second = f.submit(new Party("B", "b2"), prompt(5, 60), 200, Urgency.DEFAULT);
        f.steps(5);
        assertEquals(0, second.tokens.size(), "B has a slot, and no connection of it has two");
        FakeClient third = f.submit(new Party("C", "c"), prompt(5, 70), 200, Urgency.DEFAULT);
        f.steps(2);
        assertTrue(third.tokens.size() >= 1, "A had more than one");
    }

    /** There are more accounts than slots: these go round, a turn of some tokens each, and nothing is computed twice for that. */
    @Test
    void shouldLetAccountsHaveTheOnlySlotInTurn() {
        SchedulerFixture f = new SchedulerFixture(1, 64, TURN, 256);
        FakeClient first = f.submit(new Party("A", "a"), prompt(5, 0), 250, Urgency.DEFAULT);
        f.steps(20);
        FakeClient second = f.submit(new Party("B", "b"), prompt(5, 9), 250, Urgency.DEFAULT);
        f.steps(Standing.SLOT_TOKENS - 20 + 1);
        assertEquals(1, second.tokens.size(), "the first has made as many as it may");
        assertEquals(Standing.SLOT_TOKENS, first.tokens.size());
        FakeClient third = f.submit(new Party("C", "c"), prompt(5, 20), 250, Urgency.DEFAULT);
        f.steps(2 * Standing.SLOT_TOKENS);
        assertTrue(third.tokens.size() >= 1, "after one turn of each other");
        f.runToIdle();
        assertEquals(f.model.continuation(prompt(5, 0), 250), first.ids());
        assertEquals(f.model.continuation(prompt(5, 9), 250), second.ids());
        assertEquals(f.model.continuation(prompt(5, 20), 250), third.ids());
        assertEquals(0, f.scheduler.stats().recomputedRows());
    }
}
