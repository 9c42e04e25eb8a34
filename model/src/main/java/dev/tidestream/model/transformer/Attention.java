package dev.tidestream.model.transformer;

import java.util.Arrays;
import java.util.List;

import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.WorkerTeam;

/**
 * Causal grouped-query attention (Ainslie et al. 2023) over the caches of a batch: each row looks at its own sequence, up to its
 * own position.
 *
 * <p>Rows of one sequence form tiles of at most {@value #TILE_QUERIES} queries per key/value head, which read keys and values once
 * for all of them. Tiles by key/value heads are what the team shares. A decoded row turns and stores its own key there; only rows
 * that other tiles of the pass look at, those of a prompt, are stored in a region of their own before.
 */
final class Attention {
    private static final int TILE_QUERIES = 32;
    private static final int STORE_GRAIN = 8;

    private final RotaryEmbedding rope;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final AttentionShape shape;
    private final ForwardScratch scratch;
    private final WorkerTeam.RangeTask turn = this::turn; // made once, so that a region allocates nothing
    private final WorkerTeam.RangeTask store = this::storeRows;
    private final WorkerTeam.RangeTask attendTiles = this::attendTiles;

    // What the open region works on; written before it begins.
    private int layer;
    private int rows;
    private int tiles;
    private boolean prompts; // whether a sequence has several rows
    private float[] attended = {}; // (rows, heads * headDim)

    Attention(ModelConfig config, RotaryEmbedding rope, Kernels kernels, WorkerTeam team, ForwardScratch scratch) {
        this.rope = rope;
        this.kernels = kernels;
        this.team = team;
        this.shape = new AttentionShape(
                config.heads(), config.kvHeads(), config.headDim(), (float) (1 / Math.sqrt(config.headDim())));
        this.scratch = scratch;
    }

    /** Notes whose rows these are, and computes their turns once for all layers. */
    void begin(List<LanguageModel.Slice> slices, int rowCount) {
        int tileRows = Math.max(1, TILE_QUERIES / shape.group());
        int row = 0;
        rows = rowCount;
        tiles = 0;
        prompts = false;
        for (LanguageModel.Slice slice : slices) {
            KvCache cache = slice.cache();
            cache.truncate(cache.length()); // whatever a pass that failed left beyond
            prompts |= slice.count() > 1;
            for (int i = 0; i < slice.count(); i++) {
                if (i % tileRows == 0) {
                    scratch.tileRows[tiles] = row;
                    scratch.tileSizes[tiles++] = Math.min(tileRows, slice.count() - i);
                }
                scratch.caches[row] = cache;
                scratch.positions[row] = cache.length() + i;
                row++;
            }
        }
        Arrays.fill(scratch.spoiled, 0, rows, false);
        team.forEachRange(rows, 16, turn);
    }

    private void turn(int from, int to) {
        for (int row = from; row < to; row++) {
            rope.turns(scratch.positions[row], scratch.turns, row * rope.tableWidth());
        }
    }

    /**
     * From query, key and value of this layer to the weighted values.
     *
     * @param out receives {@code (rows, heads * headDim)}
     */
    void attend(int ofLayer, int rowCount, Activations out) {
        layer = ofLayer;
        out.reset(rowCount);
        attended = out.values();
        if (prompts) {
            team.forEachRange(rows, STORE_GRAIN, store);
            noteSpoiled();
        }
        team.forEachRange(tiles * shape.kvHeads(), 1, attendTiles);
        if (!prompts) {
            noteSpoiled();
        }
    }

    private void noteSpoiled() {
        for (int row = 0; row < rows; row++) {
            if (scratch.spoiled[row]) {
                scratch.caches[row].spoil(scratch.positions[row]);
            }
        }
    }

    private void storeRows(int from, int to) {
        for (int row = from; row < to; row++) {
            for (int kvHead = 0; kvHead < shape.kvHeads(); kvHead++) {
                store(row, kvHead);
            }
        }
    }

    /** Turns queries and key of one key/value head, and puts key and value into the row's cache. */
    private void store(int row, int kvHead) {
        int headDim = shape.headDim();
        int keyAt = (row * shape.kvHeads() + kvHead) * headDim;
        int turns = row * rope.tableWidth();
        rope.rotate(scratch.query, queryAt(row, kvHead), shape.group(), headDim, scratch.turns, turns);
        rope.rotate(scratch.key, keyAt, 1, headDim, scratch.turns, turns);
        KvHead head = scratch.caches[row].head(layer, kvHead);
        if (!head.put(scratch.positions[row], scratch.key, keyAt, scratch.value, keyAt)) {
            scratch.spoiled[row] = true;
        }
    }

    /** Where the queries that share a key/value head begin. */
    private int queryAt(int row, int kvHead) {
        return row * shape.rowSize() + kvHead * shape.group() * shape.headDim();
    }

    /** The last tiles first: in a prompt they see most, and the longest piece of work is not to be left to the end. */
    private void attendTiles(int from, int to) {
        for (int i = from; i < to; i++) {
            int tile = tiles - 1 - i / shape.kvHeads();
            attendTile(scratch.tileRows[tile], scratch.tileSizes[tile], i % shape.kvHeads());
        }
    }

    private void attendTile(int row, int count, int kvHead) {
        if (!prompts) {
            store(row, kvHead);
        }
        KvCache cache = scratch.caches[row];
        int positions = scratch.positions[row] + 1;
        kernels.attend(shape, cache.head(layer, kvHead), scratch.query, attended, queryAt(row, kvHead), count, positions);
        for (int i = 0; i < count; i++) {
            if (scratch.spoiled[row + i] || cache.spoiled(positions + i)) {
                int at = queryAt(row + i, kvHead);
                Arrays.fill(attended, at, at + shape.group() * shape.headDim(), Float.NaN);
            }
        }
    }
}
