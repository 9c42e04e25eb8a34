package dev.tidestream.server.engine;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ChunkPlanTest {
    private static final int MAX_CHUNKS = 65_535;

    @ParameterizedTest
    @CsvSource({"1, 1, 2", "8, 1, 2", "9, 2, 2", "64, 2, 2", "4008, 2, 2", "100001, 32, 3", "2147483647, 1, 2",
            "2147483647, 1073741824, 2", "2147483647, 1, 1024", "5, 7, 4"})
    void shouldCoverEveryItemWithChunksThatGetShorter(int items, int grain, int threads) {
        int[] starts = ChunkPlan.of(items, grain, threads, MAX_CHUNKS).starts();

        assertEquals(0, starts[0]);
        assertEquals(items, starts[starts.length - 1]);
        assertTrue(starts.length - 1 <= MAX_CHUNKS, "chunks=" + (starts.length - 1));
        int before = Integer.MAX_VALUE;
        for (int i = 1; i < starts.length; i++) {
            int length = starts[i] - starts[i - 1];
            assertTrue(length > 0 && length <= before, "chunk=%d, length=%d, before=%d".formatted(i - 1, length, before));
            assertEquals(0, starts[i - 1] % grain);
            before = length;
        }
    }

    @ParameterizedTest
    @CsvSource({"64, 2", "96, 2", "4008, 2"})
    void shouldBeginWithAQuarterForEachOfTwoThreadsAndEndWithTheGrain(int items, int grain) {
        int[] starts = ChunkPlan.of(items, grain, 2, MAX_CHUNKS).starts();

        assertTrue(Math.abs(items / 4 - starts[1]) <= grain, "first chunk=" + starts[1]);
        assertEquals(grain, starts[starts.length - 1] - starts[starts.length - 2]);
    }
}
