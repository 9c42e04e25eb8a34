package dev.tidestream.model.sampling;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What bias and penalties do to a row of logits, and the memory of one sequence that they need: which tokens were seen, and how
 * often each was generated. Only those tokens' logits are touched.
 */
final class Adjustments {
    private final SamplingParams params;
    private final int[] biasedIds;
    private final float[] biases; // (biasedIds)
    private final boolean repetition;
    private final boolean presence; // or frequency
    private final Map<Integer, Integer> slots = new HashMap<>(); // token id → place in the arrays below
    private int[] seenIds = new int[16];
    private int[] generated = new int[16]; // (seenIds): times generated
    private int seen;

    Adjustments(SamplingParams params, int[] promptTokens) {
        this.params = params;
        biasedIds = params.logitBias().keySet().stream().mapToInt(id -> id).sorted().toArray();
        biases = new float[biasedIds.length];
        for (int i = 0; i < biases.length; i++) {
            biases[i] = params.logitBias().getOrDefault(biasedIds[i], 0f);
        }
        repetition = params.repetitionPenalty() != 1f;
        presence = params.presencePenalty() != 0f || params.frequencyPenalty() != 0f;
        if (repetition) {
            for (int token : promptTokens) {
                slot(token);
            }
        }
    }

    /** Whether this step's logits are the model's own. */
    boolean none() {
        return biasedIds.length == 0 && ((!repetition && !presence) || seen == 0);
    }

    void remember(int token) {
        if (repetition || presence) {
            int slot = slot(token); // may replace the array
            generated[slot]++;
        }
    }

    private int slot(int token) {
        Integer known = slots.putIfAbsent(token, seen);
        if (known != null) {
            return known;
        }
        if (seen == seenIds.length) {
            seenIds = Arrays.copyOf(seenIds, 2 * seen);
            generated = Arrays.copyOf(generated, 2 * seen);
        }
        seenIds[seen] = token;
        return seen++;
    }

    /** Adjusts a row {@code (vocabulary)} in place; a token that is banned stays so. */
    void apply(float[] logits) {
        for (int i = 0; i < biasedIds.length; i++) {
            int id = biasedIds[i];
            boolean banned = logits[id] == Float.NEGATIVE_INFINITY || biases[i] == Float.NEGATIVE_INFINITY;
            logits[id] = banned ? Float.NEGATIVE_INFINITY : finite(logits[id] + biases[i]);
        }
        for (int i = 0; i < seen; i++) {
            int id = seenIds[i];
            if (logits[id] != Float.NEGATIVE_INFINITY) {
                logits[id] = finite(penalised(logits[id], generated[i]));
            }
        }
    }

    private float penalised(float logit, int times) {
        float repeated = logit > 0 ? logit / params.repetitionPenalty() : logit * params.repetitionPenalty();
        return times == 0 ? repeated : repeated - params.presencePenalty() - times * params.frequencyPenalty();
    }

    /** What left the range of float stays at its end. */
    private static float finite(float value) {
        return Math.clamp(value, -Float.MAX_VALUE, Float.MAX_VALUE);
    }
}
