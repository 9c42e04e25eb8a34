package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;

import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.scheduler.fair.RowTurns;
import dev.tidestream.server.scheduler.fair.Standing;

/**
 * Chooses the rows of a step: one of each decoding sequence with demand and room, then prompts with what is left, in chunks and in
 * turn ({@link RowTurns}).
 */
final class BatchComposer {
    /** Most rows of prompts in a step whose logits are wanted, each of which is a row of the head, and of memory. */
    static final int MAX_SCORED_ROWS = 16;

    private final KvLending lending;
    private final RowTurns<Sequence> turns;
    private final int maxRows;
    private final int prefillChunkRows;

    /**
     * @param lending makes room for rows of prompts
     * @param maxRows most rows of a step
     * @param prefillChunkRows most prompt rows in a step that decodes as well, and rows of a client's turn
     * @param batchShare of the rows of prompts, for batch streams
     */
    BatchComposer(KvLending lending, int maxRows, int prefillChunkRows, DoubleSupplier batchShare) {
        this.lending = lending;
        this.turns = new RowTurns<>(prefillChunkRows, batchShare);
        this.maxRows = maxRows;
        this.prefillChunkRows = prefillChunkRows;
    }

    /** Batches of different epochs, none of them empty. */
    List<Batch> compose(Slots slots) {
        List<Batch> batches = new ArrayList<>(1);
        List<Sequence> prompts = new ArrayList<>();
        int decodeRows = 0;
        for (Sequence sequence : slots.all()) {
            if (!sequence.hasDemand() || sequence.room() == 0) {
                continue;
            }
            if (sequence.decoding()) {
                batchOf(batches, sequence).add(sequence, sequence.prefillSlice(1));
                decodeRows++;
            } else {
                prompts.add(sequence);
            }
        }
        int left = maxRows - decodeRows;
        if (decodeRows > 0) {
            left = Math.min(left, prefillChunkRows);
        }
        turns.divide(prompts, left, new PromptRows(prompts))
                .forEach((sequence, rows) -> batchOf(batches, sequence).add(sequence, sequence.prefillSlice(rows)));
        return batches;
    }

    /** What prompts can have in a step: tokens and blocks for them, and of scored rows what is left. */
    private final class PromptRows implements RowTurns.Rows<Sequence> {
        private final List<Sequence> prompts;
        private final Map<Sequence, Integer> scored = new HashMap<>();
        private int scoredLeft = MAX_SCORED_ROWS;

        PromptRows(List<Sequence> prompts) {
            this.prompts = prompts;
        }

        @Override
        public Sequence leader(Sequence prompt) {
            Sequence leader = prompt;
            for (Sequence other : prompts) {
                leader = leader.waitsFor(other) ? other : leader;
            }
            return leader;
        }

        @Override
        public Standing standing(Sequence prompt) {
            return prompt.standing();
        }

        @Override
        public int grow(Sequence prompt, int rows) {
            int had = scored.getOrDefault(prompt, 0);
            int wanted = prompt.prefillRows(rows, had + scoredLeft);
            int has = wanted == 0 ? 0 : lending.extend(prompt, wanted);
            if (prompt.scoresNow()) {
                scored.put(prompt, has);
                scoredLeft -= has - had;
            }
            return has;
        }
    }

    private static Batch batchOf(List<Batch> batches, Sequence sequence) {
        ModelEpoch epoch = sequence.lease().epoch();
        for (Batch batch : batches) {
            if (batch.epoch().equals(epoch)) {
                return batch;
            }
        }
        Batch batch = new Batch(epoch);
        batches.add(batch);
        return batch;
    }
}
