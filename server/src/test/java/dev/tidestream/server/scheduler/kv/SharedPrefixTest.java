package dev.tidestream.server.scheduler.kv;

import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.transformer.KvCacheShape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What sequences have of each other's blocks, and what the pool counts. */
class SharedPrefixTest {
    private static final KvCacheShape SHAPE = new KvCacheShape(1, 1, 1, KvType.F32);
    private static final long BLOCK = SHAPE.blockBytes();
    private static final int[] TOKENS = IntStream.range(0, 320).toArray();

    private KvCachePool pool = pool(1);

    private static KvCachePool pool(double share) {
        return new KvCachePool(SHAPE, 10 * BLOCK, share);
    }

    @AfterEach
    void close() {
        pool.close();
    }

    /** A cache whose first positions are filled, as if computed. */
    private LentCache filled(int positions, int[] tokens) {
        LentCache cache = pool.open(tokens.length);
        fill(cache, positions, tokens);
        return cache;
    }

    private void fill(LentCache cache, int positions, int[] tokens) {
        assertTrue(pool.lend(cache, positions));
        cache.cache().advance(positions - cache.cache().length());
        pool.share(cache, 1, tokens);
    }

    @Test
    void shouldLendFullBlocksToWhoBeginsTheSameAndCountThemOnce() {
        LentCache first = filled(70, TOKENS);
        assertEquals(new KvStats(3 * BLOCK, 10 * BLOCK, 2 * BLOCK, 0, 0, 0), pool.stats());
        LentCache second = pool.open(320);
        assertEquals(64, pool.reuse(second, 1, TOKENS, 100));
        assertEquals(64, second.cache().length());
        assertEquals(0, second.room());
        assertSame(first.cache().blocks().getFirst(), second.cache().blocks().getFirst());
        assertEquals(new KvStats(3 * BLOCK, 10 * BLOCK, 2 * BLOCK, 0, 64, 0), pool.stats());
        pool.release(first);
        assertEquals(2 * BLOCK, pool.usedBytes());
        pool.release(second);
        assertEquals(new KvStats(0, 10 * BLOCK, 2 * BLOCK, 2 * BLOCK, 64, 0), pool.stats());
        assertEquals(10, pool.available(), "kept blocks are there for others");
    }

    @Test
    void shouldLendNoMoreThanTheLimitAndNothingOfOtherVersionsOrTokens() {
        filled(70, TOKENS);
        assertEquals(32, pool.reuse(pool.open(320), 1, TOKENS, 63));
        assertEquals(0, pool.reuse(pool.open(320), 1, TOKENS, 31));
        assertEquals(0, pool.reuse(pool.open(320), 2, TOKENS, 100));
        int[] others = TOKENS.clone();
        others[31]++;
        assertEquals(0, pool.reuse(pool.open(320), 1, others, 100));
        others[31]--;
        others[32]++;
        assertEquals(32, pool.reuse(pool.open(320), 1, others, 100));
    }

    @Test
    void shouldWaitForTheBlocksOfTheSameAdapterOnly() {
        LentCache first = pool.open(320, 1);
        fill(first, 10, TOKENS);
        assertTrue(pool.open(320, 1).needsWhatFills(first, TOKENS, 100, TOKENS, 320));
        assertFalse(pool.open(320, 2).needsWhatFills(first, TOKENS, 100, TOKENS, 320));
        assertFalse(pool.open(320).needsWhatFills(first, TOKENS, 100, TOKENS, 320));
    }

    /** Two that compute the same at the same time have it twice until it is full. */
    @Test
    void shouldPutWhatOthersHaveFilledInThePlaceOfTheSame() {
        LentCache first = filled(31, TOKENS);
        LentCache second = filled(31, TOKENS);
        assertEquals(2 * BLOCK, pool.usedBytes());
        fill(first, 32, TOKENS);
        fill(second, 32, TOKENS);
        assertEquals(BLOCK, pool.usedBytes());
        assertSame(first.cache().blocks().getFirst(), second.cache().blocks().getFirst());
        assertTrue(pool.lend(second, 64)); // room that was made before another had filled the same
        fill(first, 64, TOKENS);
        assertEquals(32, pool.reuse(second, 1, TOKENS, 100));
        assertEquals(2 * BLOCK, pool.usedBytes());
        assertSame(first.cache().blocks().get(1), second.cache().blocks().get(1));
        fill(first, 70, TOKENS);
        fill(second, 70, TOKENS);
        assertNotSame(first.cache().blocks().get(2), second.cache().blocks().get(2), "not full yet");
        pool.release(first);
        pool.release(second);
        assertEquals(new KvStats(0, 10 * BLOCK, 2 * BLOCK, 2 * BLOCK, 32, 0), pool.stats());
    }

    @Test
    void shouldKeepNoMoreThanItsShareAndGiveKeptBlocksToWhoeverNeedsThem() {
        pool.close();
        pool = pool(0.5);
        LentCache first = filled(8 * 32, TOKENS);
        pool.release(first);
        assertEquals(new KvStats(0, 10 * BLOCK, 5 * BLOCK, 5 * BLOCK, 0, 3), pool.stats());
        LentCache other = pool.open(320);
        assertTrue(pool.lend(other, 7 * 32));
        assertEquals(new KvStats(7 * BLOCK, 10 * BLOCK, 3 * BLOCK, 3 * BLOCK, 0, 5), pool.stats());
        LentCache again = pool.open(320);
        assertEquals(3 * 32, pool.reuse(again, 1, TOKENS, 320), "the first ones are needed most");
        assertFalse(pool.lend(again, 3 * 32 + 1));
        assertEquals(0, pool.available());
        assertEquals(3, pool.returnedBy(List.of(again)));
    }

    @Test
    void shouldCountWhatComesBackIfAllOfSomeGiveTheirs() {
        LentCache first = filled(70, TOKENS);
        LentCache second = pool.open(320);
        pool.reuse(second, 1, TOKENS, 100);
        assertEquals(1, pool.returnedBy(List.of(first)));
        assertEquals(0, pool.returnedBy(List.of(second)));
        assertEquals(3, pool.returnedBy(List.of(first, second)));
        assertEquals(2, pool.lentToOthers(1, 0, TOKENS, 320));
        assertEquals(1, pool.lentToOthers(1, 0, TOKENS, 63));
        pool.release(first);
        pool.release(second);
        assertEquals(0, pool.lentToOthers(1, 0, TOKENS, 320), "kept ones cost as much as free ones");
    }

    @Test
    void shouldShareNothingOfSeveralVersions() {
        LentCache follower = filled(40, TOKENS);
        follower.stopSharing();
        fill(follower, 70, TOKENS);
        assertEquals(BLOCK, pool.stats().sharedBytes());
        assertEquals(0, pool.reuse(follower, 1, TOKENS, 320));
    }

    @Test
    void shouldForgetOldVersionsAndLeaveTheirBlocksToWhoHoldsThem() {
        LentCache old = filled(70, TOKENS);
        pool.release(filled(40, TOKENS.clone()));
        pool.retain(version -> version == 2);
        assertTrue(pool.sharesOnly(2));
        assertEquals(new KvStats(3 * BLOCK, 10 * BLOCK, 0, 0, 0, 0), pool.stats());
        assertEquals(0, pool.reuse(pool.open(320), 1, TOKENS, 320));
        fill(old, 100, TOKENS);
        assertEquals(0, pool.stats().sharedBytes(), "what comes behind them would never be found");
        pool.release(old);
        assertEquals(new KvStats(0, 10 * BLOCK, 0, 0, 0, 0), pool.stats());
        LentCache all = pool.open(320);
        assertTrue(pool.lend(all, 320), "no block is lost");
    }

    @Test
    void shouldShareNothingIfItIsOff() {
        pool.close();
        pool = pool(0);
        LentCache first = filled(70, TOKENS);
        assertEquals(0, pool.reuse(pool.open(320), 1, TOKENS, 320));
        pool.release(first);
        assertEquals(new KvStats(0, 10 * BLOCK, 0, 0, 0, 0), pool.stats());
    }

    /** Two stacks, one of layers with a window of two blocks. */
    @Test
    void shouldShareBlocksOfLayersWithAWindowOnlyWhileNoneIsUsedAgain() {
        pool.close();
        KvCacheShape windows = new KvCacheShape(1, 1, KvType.F32, List.of(2, KvCacheShape.ALL));
        pool = new KvCachePool(windows, 20 * windows.blockBytes(), 1);
        int[] shortOne = IntStream.range(0, 64).toArray();
        LentCache first = filled(64, shortOne);
        assertEquals(4, first.blocks());
        LentCache second = pool.open(64);
        assertEquals(32, pool.reuse(second, 1, shortOne, 63));
        assertEquals(first.cache().blocks().subList(0, 2), second.cache().blocks());
        assertEquals(4, pool.stats().sharedBytes() / windows.blockBytes());
        LentCache longOne = pool.open(65);
        assertEquals(0, pool.reuse(longOne, 1, shortOne, 63), "it would write into them");
        fill(longOne, 65, IntStream.range(0, 65).toArray());
        assertEquals(5, longOne.blocks());
        assertEquals(4, pool.stats().sharedBytes() / windows.blockBytes());
        pool.release(longOne);
        pool.release(first);
        pool.release(second);
        assertEquals(0, pool.usedBytes());
        assertEquals(20, pool.available());
    }
}
