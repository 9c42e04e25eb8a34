package dev.tidestream.model.tuning;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Tokens cut into blocks side by side, some of them held out. Which ones, and in which order the others come, depends on the seed
 * alone. Immutable.
 */
public final class TokenBlocks {
    private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

    private final List<int[]> training = new ArrayList<>(); // (context + 1) each: the last is only predicted
    private final List<int[]> heldOut = new ArrayList<>();
    private final long seed;

    /**
     * Cuts tokens. What is left behind the last block is not used.
     *
     * @param context tokens of a block that are looked at
     * @param heldOutShare of all blocks, above 0 and below 1; at least one block
     * @throws TuningException if there are not two blocks
     */
    public TokenBlocks(int[] tokens, int context, double heldOutShare, long seed) {
        this.seed = seed;
        int blocks = (tokens.length - 1) / context;
        if (blocks < 2) {
            throw new TuningException("the text is too short for two blocks, one of them held out: tokens=%d, context=%d"
                    .formatted(tokens.length, context));
        }
        int held = Math.clamp(Math.round(blocks * heldOutShare), 1, blocks - 1);
        int[] order = shuffled(blocks, new SplittableRandom(seed));
        boolean[] isHeld = new boolean[blocks];
        for (int i = 0; i < held; i++) {
            isHeld[order[i]] = true;
        }
        for (int i = 0; i < blocks; i++) {
            (isHeld[i] ? heldOut : training).add(Arrays.copyOfRange(tokens, i * context, (i + 1) * context + 1));
        }
    }

    /** What is trained on, in the order of the text. */
    public List<int[]> training() {
        return List.copyOf(training);
    }

    /** What is held out, in the order of the text. */
    public List<int[]> heldOut() {
        return List.copyOf(heldOut);
    }

    /**
     * The blocks of a step, counted from 1. Each block comes once before any comes twice, in another order each time.
     *
     * @param size blocks
     */
    public List<int[]> batch(int step, int size) {
        List<int[]> batch = new ArrayList<>(size);
        long from = (long) (step - 1) * size;
        for (long i = from; i < from + size; i++) {
            long epoch = i / training.size();
            int[] order = shuffled(training.size(), new SplittableRandom(seed + MIX * (epoch + 1)));
            batch.add(training.get(order[(int) (i % training.size())]));
        }
        return batch;
    }

    private static int[] shuffled(int count, SplittableRandom random) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
