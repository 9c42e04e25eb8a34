package dev.tidestream.server.engine;

import java.util.Arrays;

/**
 * How a region is cut (guided self-scheduling, Polychronopoulos and Kuck 1987): long chunks first, so that a thread reads memory in one
 * run and the hardware prefetcher stays ahead of it; short ones last, so that threads end at about the same time. A chunk is
 * {@code remaining / (2 threads)}. Few items are a chunk each.
 *
 * @param items of the region
 * @param grain smallest chunk, but for the last; chunks begin at multiples of it
 * @param starts (chunks + 1) first item of each chunk, then {@code items}
 */
record ChunkPlan(int items, int grain, int[] starts) {
    /** Of no region. */
    static final ChunkPlan NONE = new ChunkPlan(0, 1, new int[1]);

    private static final int FEW_CHUNKS_PER_THREAD = 4;

    static ChunkPlan of(int items, int grain, int threads, int maxChunks) {
        int grains = Math.ceilDiv(items, grain);
        boolean few = grains <= threads * FEW_CHUNKS_PER_THREAD;
        int[] starts = new int[16];
        int chunks = 0;
        for (int done = 0; done < grains; chunks++) {
            int remaining = grains - done;
            starts = chunks + 1 < starts.length ? starts : Arrays.copyOf(starts, 2 * starts.length);
            starts[chunks] = done * grain;
            done += few ? 1 : chunks + 1 == maxChunks ? remaining : Math.max(1, remaining / (2 * threads));
        }
        starts[chunks] = items;
        return new ChunkPlan(items, grain, Arrays.copyOf(starts, chunks + 1));
    }
}
