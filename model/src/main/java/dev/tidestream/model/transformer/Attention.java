package dev.tidestream.model.transformer;

import java.util.List;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Causal grouped-query attention (Ainslie et al. 2023) over the caches of a batch: each row looks at its own sequence, up to its
 * own position. Rows and heads are independent, and are what the team shares.
 */
final class Attention {
    private final ModelConfig config;
    private final RotaryEmbedding rope;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final float scale;
    private final ForwardScratch scratch;

    Attention(ModelConfig config, RotaryEmbedding rope, Kernels kernels, WorkerTeam team, ForwardScratch scratch) {
        this.config = config;
        this.rope = rope;
        this.kernels = kernels;
        this.team = team;
        this.scale = (float) (1 / Math.sqrt(config.headDim()));
        this.scratch = scratch;
    }

    /** Notes whose rows these are, and computes their turns once for all layers. */
    void begin(List<LanguageModel.Slice> slices, int rows) {
        int row = 0;
        for (LanguageModel.Slice slice : slices) {
            for (int i = 0; i < slice.count(); i++) {
                scratch.caches[row] = slice.cache();
                scratch.positions[row] = slice.cache().length() + i;
                row++;
            }
        }
        team.forEachRange(rows, 16, (from, to) -> {
            for (int r = from; r < to; r++) {
                rope.turns(scratch.positions[r], scratch.turns, r * rope.tableWidth());
            }
        });
    }

    /**
     * From query, key and value of this layer to the weighted values.
     *
     * @param out receives {@code (rows, heads * headDim)}
     */
    void attend(int layer, int rows, Activations out) {
        team.forEachRange(rows, 8, (from, to) -> {
            for (int row = from; row < to; row++) {
                store(layer, row);
            }
        });
        out.reset(rows);
        int heads = config.heads();
        int group = heads / config.kvHeads();
        team.forEachRange(rows * heads, group, (from, to) -> {
            for (int i = from; i < to; i++) {
                int row = i / heads;
                int head = i % heads;
                KvHead cached = Transformer.kvHead(scratch.caches[row], layer, head / group);
                int offset = i * config.headDim();
                kernels.attend(scratch.query, offset, cached, scratch.positions[row] + 1, scale, out.values(), offset);
            }
        });
    }

    /** Turns the row's query and key, and puts key and value into its cache. */
    private void store(int layer, int row) {
        int headDim = config.headDim();
        int kvOffset = row * config.kvDim();
        rope.rotate(scratch.query, row * config.queryDim(), config.heads(), headDim, scratch.turns, row * rope.tableWidth());
        rope.rotate(scratch.key, kvOffset, config.kvHeads(), headDim, scratch.turns, row * rope.tableWidth());
        for (int head = 0; head < config.kvHeads(); head++) {
            int from = kvOffset + head * headDim;
            Transformer.kvHead(scratch.caches[row], layer, head).put(scratch.positions[row], scratch.key, from, scratch.value, from);
        }
    }
}
