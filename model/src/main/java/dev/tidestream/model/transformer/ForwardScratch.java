package dev.tidestream.model.transformer;

import java.util.List;

import dev.tidestream.model.adapter.AdapterScratch;
import dev.tidestream.model.architecture.Blueprint;
import dev.tidestream.model.architecture.Rotation;
import dev.tidestream.model.tensor.Activations;

/**
 * What a forward pass needs beside weights and caches. It holds nothing from one pass to the next, so all versions of a model may
 * share one, as long as one thread at a time computes: a version more costs no scratch more.
 *
 * <p>There is room for {@value #FEW_ROWS} rows at first, which will do for decoding a few sequences, and for the most once there
 * was a pass of more: of a model of a billion parameters 15 MB, taken with the first long prompt. If there is no memory for that,
 * the pass fails with an {@link OutOfMemoryError}, and smaller ones go on.
 */
public final class ForwardScratch {
    private static final int FEW_ROWS = 16;

    final int maxRows;
    final AdapterScratch adapters = new AdapterScratch();
    private final Blueprint blueprint;
    private int room; // rows
    float[] residual; // (room, H)
    Activations normed; // (room, H)
    Activations attended; // (room, heads * headDim)
    Activations activated; // (room, F); what the activation function is applied to at first, then what comes of it
    float[] projected; // (room, H)
    float[] up; // (room, F)
    float[] queryKeyValue; // (room, (heads + 2 * kvHeads) * headDim)
    float[][] angles; // of each rotation (room, its elements)
    int[] positions; // (room)
    KvCache[] caches; // (room)
    int[] tileRows; // (room): first row of each attention tile
    int[] tileSizes; // (room): its rows
    boolean[] poisoned; // (room): whether the row's key or value is not finite

    /** @param maxRows most rows of one pass; the size grows with it */
    public ForwardScratch(Blueprint blueprint, int maxRows) {
        if (maxRows < 1) {
            throw new IllegalArgumentException("maxRows must be at least 1: maxRows=" + maxRows);
        }
        this.maxRows = maxRows;
        this.blueprint = blueprint;
        allocate(Math.min(FEW_ROWS, maxRows));
    }

    /** Before a pass of so many rows, at most the most. What was held is lost. */
    void require(int rows) {
        if (rows > room) {
            allocate(maxRows);
        }
    }

    private void allocate(int rows) {
        residual = new float[rows * blueprint.hiddenSize()];
        normed = new Activations(rows, blueprint.hiddenSize());
        attended = new Activations(rows, blueprint.queryDim());
        activated = new Activations(rows, blueprint.feedForwardSize());
        projected = new float[rows * blueprint.hiddenSize()];
        up = new float[rows * blueprint.feedForwardSize()];
        queryKeyValue = new float[rows * (blueprint.queryDim() + 2 * blueprint.kvDim())];
        List<Rotation> rotations = blueprint.rotations();
        angles = new float[rotations.size()][];
        for (int i = 0; i < angles.length; i++) {
            angles[i] = new float[rows * rotations.get(i).dimensions()];
        }
        positions = new int[rows];
        caches = new KvCache[rows];
        tileRows = new int[rows];
        tileSizes = new int[rows];
        poisoned = new boolean[rows];
        room = rows; // last: what could not be allocated is tried again
    }
}
