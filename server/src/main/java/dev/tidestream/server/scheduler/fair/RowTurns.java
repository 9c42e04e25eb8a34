package dev.tidestream.server.scheduler.fair;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleSupplier;

import dev.tidestream.protocol.options.Priority;

/**
 * Divides the rows that a step has for prompts. Accounts have turns of some rows, within them their connections
 * ({@link FairShares}), and within a connection the oldest prompt comes first. A prompt that is longer than a turn goes on in the
 * next one of its connection, so many long prompts of one delay that of another by a turn. Prompts of batch streams have their share
 * of the rows, and what interactive ones leave. No row is left while a prompt can have it.
 *
 * @param <T> a prompt, compared by identity
 */
public final class RowTurns<T> {
    private final DoubleSupplier batchShare;
    private final Prompts<T> interactive;
    private final Prompts<T> batch;

    /**
     * What prompts are and can have.
     *
     * @param <T> a prompt
     */
    public interface Rows<T> {
        /** Where it stands among the others. */
        Standing standing(T prompt);

        /**
         * Whose rows are of most use to a prompt: its own, or those of another that fills the blocks which both need next. The turn
         * of one that waits for another is the other's, at the cost of the one that waits: it waits no longer than it would compute.
         */
        T leader(T prompt);

        /**
         * Gives a prompt rows of this step.
         *
         * @param rows in all; more than before
         * @return as many as it has now; less than {@code rows} if it can have no more in this step
         */
        int grow(T prompt, int rows);
    }

    /** Those of one priority. */
    private static final class Prompts<T> {
        private final FairShares shares;
        private final Map<Party, ArrayDeque<T>> byParty = new LinkedHashMap<>(); // that can have more rows in this step
        private final Set<Party> parties = new HashSet<>(); // that had any in the last step

        Prompts(int quantumRows) {
            shares = new FairShares(quantumRows);
        }

        /** Whoever has no prompt any more loses its turn, and whoever has one now comes behind the others. */
        void begin(List<T> prompts, Rows<T> rows) {
            byParty.clear();
            for (T prompt : prompts) {
                byParty.computeIfAbsent(rows.standing(prompt).party(), party -> new ArrayDeque<>()).add(prompt);
            }
            parties.removeIf(party -> {
                boolean leaves = !byParty.containsKey(party);
                if (leaves) {
                    shares.leave(party);
                }
                return leaves;
            });
            for (Party party : byParty.keySet()) {
                if (parties.add(party)) {
                    shares.join(party);
                }
            }
        }

        boolean isEmpty() {
            return byParty.isEmpty();
        }

        /** Whether nobody had a prompt in the last step. */
        boolean wasEmpty() {
            return parties.isEmpty();
        }

        /** Gives up to so many rows; how many it did. */
        int give(int rows, Rows<T> can, Map<T, Integer> given) {
            int left = rows;
            while (left > 0) {
                Party party = shares.next(byParty::containsKey);
                ArrayDeque<T> prompts = party == null ? null : byParty.get(party);
                if (party == null || prompts == null) {
                    break;
                }
                T prompt = can.leader(prompts.getFirst());
                int had = given.getOrDefault(prompt, 0);
                int wanted = had + (int) Math.min(left, shares.balance(party));
                int has = can.grow(prompt, wanted);
                if (has > had) {
                    given.put(prompt, has);
                    shares.charge(party, has - had);
                    left -= has - had;
                }
                if (has < wanted) {
                    prompts.removeFirst();
                    if (prompts.isEmpty()) {
                        byParty.remove(party);
                    }
                }
            }
            return rows - left;
        }
    }

    /**
     * @param quantumRows of a turn, at least 1
     * @param batchShare of the rows, for batch streams, 0 to below 1; asked at each step
     */
    public RowTurns(int quantumRows, DoubleSupplier batchShare) {
        this.batchShare = batchShare;
        this.interactive = new Prompts<>(quantumRows);
        this.batch = new Prompts<>(quantumRows);
    }

    /**
     * The rows of a step.
     *
     * @param prompts all that there are, none twice
     * @param rows of all of them
     * @return those that got some
     */
    public Map<T, Integer> divide(List<T> prompts, int rows, Rows<T> can) {
        if (prompts.isEmpty() && interactive.wasEmpty() && batch.wasEmpty()) {
            return Map.of(); // as in most steps
        }
        Comparator<T> byArrival = Comparator.comparingLong(prompt -> can.standing(prompt).arrival());
        List<T> byAge = prompts.stream().sorted(byArrival).toList();
        interactive.begin(byAge.stream().filter(prompt -> can.standing(prompt).priority() == Priority.INTERACTIVE).toList(), can);
        batch.begin(byAge.stream().filter(prompt -> can.standing(prompt).priority() == Priority.BATCH).toList(), can);
        Map<T, Integer> given = new LinkedHashMap<>();
        int kept = batch.isEmpty() || interactive.isEmpty() ? 0 : (int) Math.ceil(rows * batchShare.getAsDouble());
        int left = rows - interactive.give(rows - kept, can, given);
        left -= batch.give(left, can, given);
        interactive.give(left, can, given);
        return given;
    }
}
