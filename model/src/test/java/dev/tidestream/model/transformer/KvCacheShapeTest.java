package dev.tidestream.model.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.KvType;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class KvCacheShapeTest {
    private static final int ALL = KvCacheShape.ALL;
    /** As Gemma 3 has them: five layers with a window, one without. */
    private static final KvCacheShape LOCAL = new KvCacheShape(2, 8, KvType.F32, List.of(3, 3, 3, 3, 3, ALL, 3, 3, 3, 3, 3, ALL));

    @Test
    void shouldPutAllLayersInOneBlockIfNoneHasAWindow() {
        var shape = new KvCacheShape(12, 2, 8, KvType.F32);
        assertEquals(12, shape.layersPerBlock());
        assertEquals(12 * 2 * (8 * 32 + 32 * 32) * 4L, shape.blockBytes());
        assertEquals(List.of(0, 1, 1, 2), Stream.of(0, 1, 32, 33).map(shape::blocksFor).toList());
        assertEquals(7 * 32, shape.positionsWithin(7));
        assertFalse(shape.overwritesBlocks(100_000));
    }

    @Test
    void shouldBoundTheBlocksOfLayersWithAWindow() {
        assertEquals(2, LOCAL.layersPerBlock());
        assertEquals(6, LOCAL.blocksFor(32)); // six stacks, a block each
        assertEquals(6 * 3, LOCAL.blocksFor(3 * 32));
        assertEquals(5 * 3 + 4, LOCAL.blocksFor(4 * 32));
        assertEquals(5 * 3 + 1000, LOCAL.blocksFor(1000 * 32));
        assertFalse(LOCAL.overwritesBlocks(96));
        assertTrue(LOCAL.overwritesBlocks(97));
    }

    @Test
    void shouldFitAsManyPositionsAsItSays() {
        for (KvCacheShape shape : List.of(LOCAL, new KvCacheShape(3, 1, 1, KvType.F16),
                new KvCacheShape(1, 1, KvType.F16, List.of(2, 5, ALL)))) {
            for (int blocks = 0; blocks < 200; blocks++) {
                int positions = (int) shape.positionsWithin(blocks);
                assertTrue(shape.blocksFor(positions) <= blocks, () -> shape + " " + positions);
                assertTrue(shape.blocksFor(positions + 1) > blocks, () -> shape + " " + positions);
            }
        }
        var windowsOnly = new KvCacheShape(1, 1, KvType.F16, List.of(2, 2));
        assertEquals(32, windowsOnly.positionsWithin(1));
        assertTrue(windowsOnly.positionsWithin(2) > 2_000_000_000L);
    }

    @Test
    void shouldGiveEveryPositionThatCanBeSeenAPlaceOfItsOwn() {
        int positions = 400;
        try (Arena arena = Arena.ofConfined()) {
            KvCache cache = cache(LOCAL, positions, arena);
            for (int layer = 0; layer < LOCAL.layers(); layer++) {
                int kept = Math.min(positions, LOCAL.ringBlocks().get(layer) == ALL ? ALL : 3 * 32);
                for (int head = 0; head < 2; head++) {
                    for (int position = 0; position < positions; position++) {
                        cache.head(layer, head).put(position, vector(layer, head, position), 0, vector(layer, head, -position), 0);
                    }
                }
                for (int position = positions - kept; position < positions; position++) {
                    assertEquals(vector(layer, 1, position)[7], cache.head(layer, 1).key(position, 7));
                    assertEquals(vector(layer, 0, -position)[3], cache.head(layer, 0).value(position, 3));
                }
            }
            assertEquals(vector(5, 1, 0)[7], cache.head(5, 1).key(0, 7)); // no other layer wrote there
            assertNotEquals(vector(4, 1, 0)[7], cache.head(4, 1).key(0, 7));
        }
    }

    @Test
    void shouldNotGoBackToPositionsThatAreGone() {
        try (Arena arena = Arena.ofConfined()) {
            KvCache longer = cache(LOCAL, 97, arena);
            longer.advance(97);
            longer.truncate(97);
            String message = assertThrows(IllegalArgumentException.class, () -> longer.truncate(96)).getMessage();
            assertEquals("cannot truncate: newLength=96, length=97, layers with a window have used blocks again", message);
            longer.truncate(0);
            assertEquals(0, longer.length());

            KvCache shorter = cache(LOCAL, 96, arena);
            shorter.advance(96);
            shorter.truncate(5);
            assertEquals(5, shorter.length());
        }
    }

    @Test
    void shouldRefuseWhatIsNoShape() {
        assertThrows(IllegalArgumentException.class, () -> new KvCacheShape(0, 1, 1, KvType.F16));
        assertThrows(IllegalArgumentException.class, () -> new KvCacheShape(1, 1, KvType.F16, List.of(1, 0)));
        try (Arena arena = Arena.ofConfined()) {
            List<MemorySegment> blocks = Collections.nCopies(5, arena.allocate(LOCAL.blockBytes()));
            assertEquals("KV blocks: blocks=5, expected=6 for positions=1",
                    assertThrows(IllegalArgumentException.class, () -> new KvCache(LOCAL, 1, blocks)).getMessage());
        }
    }

    private static KvCache cache(KvCacheShape shape, int positions, Arena arena) {
        return new KvCache(shape, positions, IntStream.range(0, shape.blocksFor(positions))
                .mapToObj(i -> arena.allocate(shape.blockBytes(), 64)).toList());
    }

    private static float[] vector(int layer, int head, int position) {
        float[] vector = new float[8];
        for (int d = 0; d < vector.length; d++) {
            vector[d] = ((layer * 2 + head) * 1000f + position) * 8 + d;
        }
        return vector;
    }
}
