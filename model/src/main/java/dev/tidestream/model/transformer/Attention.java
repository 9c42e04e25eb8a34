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

    private final float[] query; // (maxRows, heads * headDim)
    private final float[] key; // (maxRows, kvHeads * headDim)
    private final float[] value; // (maxRows, kvHeads * headDim)
    private final float[] turns; // (maxRows, ropeDim)
    private final int[] positions; // (maxRows)
    private final KvCache[] caches; // (maxRows)

    Attention(ModelConfig config, RotaryEmbedding rope, Kernels kernels, WorkerTeam team, int maxRows) {
        this.config = config;
        this.rope = rope;
        this.kernels = kernels;
        this.team = team;
        this.scale = (float) (1 / Math.sqrt(config.headDim()));
        this.query = new float[maxRows * config.queryDim()];
        this.key = new float[maxRows * config.kvDim()];
        this.value = new float[maxRows * config.kvDim()];
        this.turns = new float[maxRows * rope.tableWidth()];
        this.positions = new int[maxRows];
        this.caches = new KvCache[maxRows];
    }

    float[] query() {
        return query;
    }

    float[] key() {
        return key;
    }

    float[] value() {
        return value;
    }

    /** Notes whose rows these are, and computes their turns once for all layers. */
    void begin(List<LanguageModel.Slice> slices, int rows) {
        int row = 0;
        for (LanguageModel.Slice slice : slices) {
            for (int i = 0; i < slice.count(); i++) {
                caches[row] = slice.cache();
                positions[row] = slice.cache().length() + i;
                row++;
            }
        }
        team.forEachRange(rows, 16, (from, to) -> {
            for (int r = from; r < to; r++) {
                rope.turns(positions[r], turns, r * rope.tableWidth());
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
                KvHead cached = Transformer.kvHead(caches[row], layer, head / group);
                int offset = i * config.headDim();
                kernels.attend(query, offset, cached, positions[row] + 1, scale, out.values(), offset);
            }
        });
    }

    /** Turns the row's query and key, and puts key and value into its cache. */
    private void store(int layer, int row) {
        int headDim = config.headDim();
        int kvOffset = row * config.kvDim();
        rope.rotate(query, row * config.queryDim(), config.heads(), headDim, turns, row * rope.tableWidth());
        rope.rotate(key, kvOffset, config.kvHeads(), headDim, turns, row * rope.tableWidth());
        for (int head = 0; head < config.kvHeads(); head++) {
            int from = kvOffset + head * headDim;
            Transformer.kvHead(caches[row], layer, head).put(positions[row], key, from, value, from);
        }
    }
}
