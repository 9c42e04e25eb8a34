package dev.tidestream.server.scheduler;

import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCacheShape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

class KvCachePoolTest {
    private static final KvCacheShape SHAPE = new KvCacheShape(2, 3, 5, KvType.F16);

    private static KvCache granted(KvReservation reservation) {
        return assertInstanceOf(KvReservation.Granted.class, reservation).cache();
    }

    @Test
    void shouldLendWholeSequencesWithinTheBudgetAndUseBlocksAgain() {
        try (KvCachePool pool = new KvCachePool(SHAPE, 3 * SHAPE.blockBytes() + 1)) {
            assertEquals(0, pool.allocatedBytes());
            KvCache two = granted(pool.reserve(33));
            assertEquals(64, two.capacity());
            assertEquals(0, two.blocks().getFirst().address() % 64);
            assertEquals(2 * SHAPE.blockBytes(), pool.usedBytes());
            assertEquals(new KvReservation.NotNow(2, 1), pool.reserve(64));
            granted(pool.reserve(1));
            pool.release(two);
            granted(pool.reserve(64));
            assertEquals(3 * SHAPE.blockBytes(), pool.allocatedBytes());
        }
    }

    @Test
    void shouldSayWithNumbersThatItCanNeverFit() {
        try (KvCachePool pool = new KvCachePool(SHAPE, 2 * SHAPE.blockBytes())) {
            KvReservation.NeverFits never = assertInstanceOf(KvReservation.NeverFits.class, pool.reserve(65));
            assertEquals(new KvReservation.NeverFits(65, 3, 3 * SHAPE.blockBytes(), 2, 2 * SHAPE.blockBytes(), 64), never);
            assertEquals(never, pool.neverFits(65).orElseThrow());
            assertFalse(pool.neverFits(64).isPresent());
        }
        assertThrows(IllegalArgumentException.class, () -> new KvCachePool(SHAPE, SHAPE.blockBytes() - 1));
    }

    @Test
    void shouldNoticeADoubleRelease() {
        try (KvCachePool pool = new KvCachePool(SHAPE, 2 * SHAPE.blockBytes())) {
            KvCache cache = granted(pool.reserve(1));
            pool.release(cache);
            assertThrows(IllegalStateException.class, () -> pool.release(cache));
            assertEquals(0, pool.usedBytes());
        }
    }

    @Test
    void shouldGiveMemoryBackWhenClosed() {
        KvCachePool pool = new KvCachePool(SHAPE, 2 * SHAPE.blockBytes());
        KvCache cache = granted(pool.reserve(1));
        pool.close();
        assertFalse(cache.blocks().getFirst().scope().isAlive());
    }
}
