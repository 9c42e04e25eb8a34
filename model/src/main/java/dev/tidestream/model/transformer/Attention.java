package dev.tidestream.model.transformer;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

import dev.tidestream.model.architecture.AttentionPlan;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.LayerPlan;
import dev.tidestream.model.tensor.Activations;
import dev.tidestream.model.tensor.AttentionShape;
import dev.tidestream.model.tensor.Kernels;
import dev.tidestream.model.tensor.KvHead;
import dev.tidestream.model.tensor.Norm;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.LayerWeights.HeadNorms;

/**
 * Causal grouped-query attention (Ainslie et al. 2023) over the caches of a batch: each row looks at its own sequence, up to its
 * own position.
 *
 * <p>Rows of one sequence form tiles of at most {@value #TILE_QUERIES} queries per key/value head, which read keys and values
 * once for all of them. Tiles by key/value heads are what the team shares. A decoded row norms, rotates and stores its own key
 * there; only rows that other tiles of the pass look at, those of a prompt, are stored in a region of their own before.
 *
 * <p>What differs between layers, a window or a rotation, is in their plans.
 */
final class Attention {
    private static final int TILE_QUERIES = 32;
    private static final int STORE_GRAIN = 8;

    private static final int NO_ROTATION = -1;

    /** What a layer's attention computes, and with which table it rotates. */
    private record Layer(AttentionShape shape, int rotation, Optional<HeadNorms> norms) {}

    private final RotaryEmbedding[] rotations;
    private final Layer[] layers;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final ForwardScratch scratch;
    private final int heads;
    private final int kvHeads;
    private final int headDim;
    private final int rowSize; // of queries, keys and values side by side
    private final WorkerTeam.RangeTask computeAngles = this::computeAngles; // made once, so that a region allocates nothing
    private final WorkerTeam.RangeTask store = this::storeRows;
    private final WorkerTeam.RangeTask attendTiles = this::attendTiles;

    // What the open region works on; written before it begins.
    private int index; // of the layer
    private Layer layer;
    private int rows;
    private int tiles;
    private boolean prompts; // whether a sequence has several rows
    private float[] attended = {}; // (rows, heads * headDim)

    /**
     * @param rotations tables of the blueprint's rotations
     * @param norms of heads, for each layer
     */
    Attention(
            Blueprint blueprint, List<RotaryEmbedding> rotations, List<Optional<HeadNorms>> norms, Kernels kernels, WorkerTeam team,
            ForwardScratch scratch) {
        AttentionPlan any = blueprint.layers().getFirst().attention(); // sizes are the same in all
        this.heads = any.heads();
        this.kvHeads = any.kvHeads();
        this.headDim = any.headDim();
        this.rowSize = any.queryDim() + 2 * any.kvDim();
        this.rotations = rotations.toArray(RotaryEmbedding[]::new);
        this.layers = new Layer[blueprint.layers().size()];
        for (int i = 0; i < layers.length; i++) {
            layers[i] = layer(blueprint, blueprint.layers().get(i), norms.get(i), rowSize);
        }
        this.layer = layers[0];
        this.kernels = kernels;
        this.team = team;
        this.scratch = scratch;
    }

    private static Layer layer(Blueprint blueprint, LayerPlan plan, Optional<HeadNorms> norms, int rowSize) {
        AttentionPlan attention = plan.attention();
        var shape = new AttentionShape(attention.heads(), attention.kvHeads(), attention.headDim(), rowSize, attention.scale(),
                attention.softcap(), attention.window());
        int rotation = blueprint.rotations().indexOf(attention.rotation()); // which does not have that of nothing
        return new Layer(shape, rotation, norms);
    }

    /** Notes whose rows these are, and computes their rotation angles once for all layers. */
    void begin(List<LanguageModel.Slice> slices, int rowCount) {
        int tileRows = Math.max(1, TILE_QUERIES * kvHeads / heads);
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
        Arrays.fill(scratch.poisoned, 0, rows, false);
        team.forEachRange(rows, 16, computeAngles);
    }

    private void computeAngles(int from, int to) {
        for (int i = 0; i < rotations.length; i++) {
            for (int row = from; row < to; row++) {
                rotations[i].angles(scratch.positions[row], scratch.angles[i], row * rotations[i].tableWidth());
            }
        }
    }

    /**
     * From queries, keys and values of this layer to the weighted values.
     *
     * @param out receives {@code (rows, heads * headDim)}
     */
    void attend(int ofLayer, int rowCount, Activations out) {
        index = ofLayer;
        layer = layers[ofLayer];
        out.reset(rowCount);
        attended = out.values();
        if (prompts) {
            team.forEachRange(rows, STORE_GRAIN, store);
            notePoisoned();
        }
        team.forEachRange(tiles * kvHeads, 1, attendTiles);
        if (!prompts) {
            notePoisoned();
        }
    }

    private void notePoisoned() {
        for (int row = 0; row < rows; row++) {
            if (scratch.poisoned[row]) {
                scratch.caches[row].poison(scratch.positions[row]);
            }
        }
    }

    private void storeRows(int from, int to) {
        for (int row = from; row < to; row++) {
            for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
                store(row, kvHead);
            }
        }
    }

    /** Norms and rotates queries and key of one key/value head, and puts key and value into the row's cache. */
    private void store(int row, int kvHead) {
        float[] all = scratch.queryKeyValue;
        int group = heads / kvHeads;
        int queryAt = row * rowSize + kvHead * group * headDim;
        int keyAt = row * rowSize + (heads + kvHead) * headDim;
        int valueAt = keyAt + kvHeads * headDim;
        if (layer.norms.isPresent()) {
            HeadNorms norms = layer.norms.get();
            normalise(norms.query(), queryAt, group);
            normalise(norms.key(), keyAt, 1);
        }
        if (layer.rotation != NO_ROTATION) {
            RotaryEmbedding rotation = rotations[layer.rotation];
            float[] angles = scratch.angles[layer.rotation];
            rotation.rotate(all, queryAt, group, headDim, angles, row * rotation.tableWidth());
            rotation.rotate(all, keyAt, 1, headDim, angles, row * rotation.tableWidth());
        }
        KvHead head = scratch.caches[row].head(index, kvHead);
        if (!head.put(scratch.positions[row], all, keyAt, all, valueAt)) {
            scratch.poisoned[row] = true;
        }
    }

    private void normalise(Norm norm, int at, int count) {
        for (int head = 0; head < count; head++) {
            int from = at + head * headDim;
            kernels.normalise(norm, scratch.queryKeyValue, from, scratch.queryKeyValue, from);
        }
    }

    /** The last tiles first: in a prompt they see most, and the longest piece of work is not to be left to the end. */
    private void attendTiles(int from, int to) {
        for (int i = from; i < to; i++) {
            int tile = tiles - 1 - i / kvHeads;
            attendTile(scratch.tileRows[tile], scratch.tileSizes[tile], i % kvHeads);
        }
    }

    private void attendTile(int row, int count, int kvHead) {
        if (!prompts) {
            store(row, kvHead);
        }
        KvCache cache = scratch.caches[row];
        int positions = scratch.positions[row] + 1;
        AttentionShape shape = layer.shape;
        int groupAt = kvHead * shape.group() * headDim; // in a row
        int outAt = row * shape.rowSize() + groupAt;
        kernels.attend(shape, cache.head(index, kvHead), scratch.queryKeyValue, row * rowSize + groupAt, attended, outAt, count, positions);
        for (int i = 0; i < count; i++) {
            if (scratch.poisoned[row + i] || cache.poisoned(positions + i)) {
                int at = outAt + i * shape.rowSize();
                Arrays.fill(attended, at, at + shape.group() * headDim, Float.NaN);
            }
        }
    }
}
