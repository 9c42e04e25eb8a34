package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.server.epoch.ModelEpoch;

/**
 * Chooses the rows of a step: one of each decoding sequence with demand and room, then prompts with what is left, in chunks. Of
 * several connections each has one prompt done in turn, so that many long prompts of one delay that of another by one of them;
 * within a connection, and among connections with one prompt each, the oldest comes first.
 */
final class BatchComposer {
    /** Most rows of prompts in a step whose logits are wanted, each of which is a row of the head, and of memory. */
    static final int MAX_SCORED_ROWS = 16;

    private final KvLending lending;
    private final int maxRows;
    private final int prefillChunkRows;

    /**
     * @param lending makes room for rows of prompts
     * @param maxRows most rows of a step
     * @param prefillChunkRows most prompt rows in a step that decodes as well
     */
    BatchComposer(KvLending lending, int maxRows, int prefillChunkRows) {
        this.lending = lending;
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
                batchOf(batches, sequence).add(sequence, sequence.decodeSlice());
                decodeRows++;
            } else {
                prompts.add(sequence);
            }
        }
        int left = maxRows - decodeRows;
        if (decodeRows > 0) {
            left = Math.min(left, prefillChunkRows);
        }
        int scoredRows = MAX_SCORED_ROWS;
        for (Sequence sequence : inTurn(prompts, slots)) {
            if (left == 0) {
                break;
            }
            int rows = sequence.prefillRows(left, scoredRows);
            if (rows == 0) {
                continue; // others are scored in this step
            }
            Slice slice = sequence.prefillSlice(lending.extend(sequence, rows));
            if (sequence.endsPrompt(slice)) {
                slots.promptDone(sequence.connection());
            }
            batchOf(batches, sequence).add(sequence, slice);
            left -= slice.count();
            scoredRows -= slice.logits() == LogitsRows.ALL ? slice.count() : 0;
        }
        return batches;
    }

    /** A prompt, and the how manyth of its connection it is. */
    private record Turn(Sequence prompt, int round) {}

    private static List<Sequence> inTurn(List<Sequence> prompts, Slots slots) {
        if (prompts.size() < 2) {
            return prompts;
        }
        Map<Object, Integer> rounds = new HashMap<>();
        List<Turn> turns = new ArrayList<>(prompts.size());
        for (Sequence prompt : prompts) {
            turns.add(new Turn(prompt, rounds.merge(prompt.connection(), 1, Integer::sum)));
        }
        turns.sort(Comparator.comparingInt(Turn::round).thenComparingLong(turn -> slots.lastTurn(turn.prompt().connection())));
        return turns.stream().map(Turn::prompt).toList();
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
