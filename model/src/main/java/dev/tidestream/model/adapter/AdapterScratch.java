package dev.tidestream.model.adapter;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.tidestream.model.tensor.Activations;

/**
 * What {@link AdapterRows} needs beside weights: a few rows at a time, taken when first needed and kept. It holds nothing from one call
 * to the next.
 */
public final class AdapterScratch {
    /** Most rows at a time. */
    static final int ROWS = 32;
    private static final int PRODUCTS = 1 << 20;

    private final Map<Integer, Activations> inputs = new HashMap<>(); // by columns
    private final List<Map<Integer, Activations>> lows = new ArrayList<>(); // of each part, by rank
    private float[] low = {};
    private float[] products = {};

    /** How many rows may be computed at a time of an output of so many elements. */
    static int rowsAtOnce(int outputs) {
        return Math.clamp(PRODUCTS / outputs, 1, ROWS);
    }

    Activations input(int rows, int columns) {
        return reset(inputs, rows, columns);
    }

    Activations low(int part, int rows, int rank) {
        while (lows.size() <= part) {
            lows.add(new HashMap<>());
        }
        return reset(lows.get(part), rows, rank);
    }

    private static Activations reset(Map<Integer, Activations> of, int rows, int columns) {
        Activations found = of.computeIfAbsent(columns, size -> new Activations(ROWS, size));
        found.reset(rows);
        return found;
    }

    float[] low(int elements) {
        if (low.length < elements) {
            low = new float[elements];
        }
        return low;
    }

    float[] products(int elements) {
        if (products.length < elements) {
            products = new float[elements];
        }
        return products;
    }
}
