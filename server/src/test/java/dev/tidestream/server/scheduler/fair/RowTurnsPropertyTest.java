package dev.tidestream.server.scheduler.fair;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleSupplier;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.options.Priority;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/** How a step's rows are divided among prompts. */
class RowTurnsPropertyTest {

    /** A prompt that has rows left, and nothing else. */
    private static final class Prompt {
        final Standing standing;
        int left;

        Prompt(String account, String connection, Priority priority, long arrival, int rows) {
            standing = new Standing(new Party(account, connection), priority, arrival);
            left = rows;
        }
    }

    private static final RowTurns.Rows<Prompt> ROWS = new RowTurns.Rows<>() {
        @Override
        public Standing standing(Prompt prompt) {
            return prompt.standing;
        }

        @Override
        public Prompt leader(Prompt prompt) {
            return prompt;
        }

        @Override
        public int grow(Prompt prompt, int rows) {
            return Math.min(rows, prompt.left);
        }
    };

    private static DoubleSupplier share(double ofBatch) {
        return () -> ofBatch;
    }

    private static Map<Prompt, Integer> step(RowTurns<Prompt> turns, List<Prompt> prompts, int rows) {
        Map<Prompt, Integer> given = turns.divide(prompts, rows, ROWS);
        given.forEach((prompt, count) -> prompt.left -= count);
        prompts.removeIf(prompt -> prompt.left == 0);
        return given;
    }

    /** Work conservation, and order of arrival within a connection, whoever comes. */
    @Test
    void shouldLeaveNoRowThatAPromptCouldHaveAndTakeAConnectionsPromptsInOrder() {
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            RowTurns<Prompt> turns = new RowTurns<>(1 + random.nextInt(40), share(random.nextInt(2) * 0.2));
            List<Prompt> prompts = new ArrayList<>();
            for (int step = 0; step < 300; step++) {
                if (random.nextInt(2) == 0) {
                    String account = "a" + random.nextInt(3);
                    String connection = account + random.nextInt(3);
                    Priority priority = random.nextBoolean() ? Priority.INTERACTIVE : Priority.BATCH;
                    prompts.add(new Prompt(account, connection, priority, step, 1 + random.nextInt(200)));
                }
                List<Prompt> before = List.copyOf(prompts);
                int rows = 1 + random.nextInt(100);
                long can = before.stream().mapToLong(prompt -> prompt.left).sum();
                Map<Prompt, Integer> given = step(turns, prompts, rows);
                assertEquals(Math.min(rows, can), given.values().stream().mapToInt(i -> i).sum());
                for (Prompt prompt : given.keySet()) {
                    assertTrue(before.stream().noneMatch(older -> older.standing.party().equals(prompt.standing.party())
                            && older.standing.priority() == prompt.standing.priority()
                            && older.standing.arrival() < prompt.standing.arrival() && older.left > 0), "an older one is not done");
                }
            }
        }
    }

    /** Accounts that have prompts all the time differ by some turns at most, at any moment, however they are cut. */
    @ParameterizedTest
    @ValueSource(ints = {1, 8, 128})
    void shouldGiveAccountsTheSameRows(int quantum) {
        for (long seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            RowTurns<Prompt> turns = new RowTurns<>(quantum, share(0.1));
            List<Prompt> prompts = new ArrayList<>();
            for (int i = 0; i < 12; i++) { // of a four connections, of b one, of c one with many short ones
                String account = i < 4 ? "a" : i < 5 ? "b" : "c";
                prompts.add(new Prompt(account, account + (i < 4 ? i : 0), Priority.INTERACTIVE, i, 1_000_000));
            }
            Map<Object, Long> rows = new HashMap<>();
            for (int step = 0; step < 1000; step++) {
                step(turns, prompts, 1 + random.nextInt(300))
                        .forEach((prompt, count) -> rows.merge(prompt.standing.party().account(), (long) count, Long::sum));
                long most = rows.values().stream().mapToLong(i -> i).max().orElse(0);
                long least = rows.size() < 3 ? 0 : rows.values().stream().mapToLong(i -> i).min().orElse(0);
                if (most - least > 2L * quantum) {
                    fail("seed=%d, step=%d, rows=%s".formatted(seed, step, rows));
                }
            }
        }
    }

    @Test
    void shouldKeepAShareOfTheRowsForBatchPrompts() {
        RowTurns<Prompt> turns = new RowTurns<>(16, share(0.25));
        List<Prompt> prompts = new ArrayList<>();
        prompts.add(new Prompt("a", "a", Priority.INTERACTIVE, 1, 10_000));
        prompts.add(new Prompt("b", "b", Priority.BATCH, 2, 10_000));
        Prompt batch = prompts.getLast();
        for (int step = 0; step < 10; step++) {
            assertEquals(25, step(turns, prompts, 100).get(batch));
        }
        prompts.removeFirst();
        assertEquals(100, step(turns, prompts, 100).get(batch));
    }
}
