package dev.tidestream.server.scheduler.kv;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCacheShape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class KvCachePoolTest {
    private static final KvCacheShape SHAPE = new KvCacheShape(2, 3, 5, KvType.F16);

    @Test
    void shouldLendBlocksAsPositionsAreReachedWithinTheBudgetAndUseThemAgain() {
        try (KvCachePool pool = new KvCachePool(SHAPE, 3 * SHAPE.blockBytes() + 1)) {
            assertEquals(0, pool.allocatedBytes());
            LentCache first = pool.open(1000);
            assertEquals(0, first.blocks());
            assertTrue(pool.lend(first, 33));
            assertEquals(64, first.room());
            assertEquals(0, first.cache().blocks().getFirst().address() % 64);
            assertEquals(2 * SHAPE.blockBytes(), pool.usedBytes());
            LentCache second = pool.open(64);
            assertFalse(pool.lend(second, 64));
            assertEquals(32, second.room(), "as far as there are blocks");
            assertEquals(0, pool.available());
            pool.release(first);
            assertTrue(pool.lend(second, 64));
            assertTrue(pool.lend(second, 1), "has it");
            assertEquals(3 * SHAPE.blockBytes(), pool.allocatedBytes());
            assertEquals(1, pool.available());
        }
    }

    @Test
    void shouldSayWithNumbersThatItCanNeverFit() {
        try (KvCachePool pool = new KvCachePool(SHAPE, 2 * SHAPE.blockBytes())) {
            NeverFits never = new NeverFits(65, 3, 3 * SHAPE.blockBytes(), 2, 2 * SHAPE.blockBytes(), 64);
            assertEquals(never, pool.neverFits(65).orElseThrow());
            assertFalse(pool.neverFits(64).isPresent());
        }
        assertThrows(IllegalArgumentException.class, () -> new KvCachePool(SHAPE, SHAPE.blockBytes() - 1));
        assertThrows(IllegalArgumentException.class, () -> new KvCachePool(SHAPE, SHAPE.blockBytes(), 1.01));
        assertThrows(IllegalArgumentException.class, () -> new KvCachePool(SHAPE, SHAPE.blockBytes(), Double.NaN));
    }

    @Test
    void shouldNoticeADoubleRelease() {
        try (KvCachePool pool = new KvCachePool(SHAPE, 2 * SHAPE.blockBytes())) {
            LentCache cache = pool.open(1);
            pool.lend(cache, 1);
            pool.release(cache);
            assertThrows(IllegalStateException.class, () -> pool.release(cache));
            assertEquals(0, pool.usedBytes());
        }
    }

    @Test
    void shouldGiveMemoryBackWhenClosed() {
        KvCachePool pool = new KvCachePool(SHAPE, 2 * SHAPE.blockBytes());
        LentCache cache = pool.open(1);
        pool.lend(cache, 1);
        pool.close();
        assertFalse(cache.cache().blocks().getFirst().scope().isAlive());
    }
}
