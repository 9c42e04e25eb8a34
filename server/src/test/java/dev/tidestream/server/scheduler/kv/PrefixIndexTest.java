package dev.tidestream.server.scheduler.kv;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PrefixIndexTest {
    private static final MemorySegment[] BLOCKS = {MemorySegment.NULL};

    private static int[] tokens(int first) {
        return IntStream.range(first, first + 64).toArray();
    }

    @Test
    void shouldFindByVersionByTokensAndByAllBefore() {
        PrefixIndex index = new PrefixIndex();
        SharedBlocks first = index.add(null, 1, 0, tokens(0), 0, BLOCKS);
        SharedBlocks second = index.add(first, 1, 0, tokens(0), 32, BLOCKS);
        SharedBlocks other = index.add(null, 1, 0, tokens(100), 0, BLOCKS);
        SharedBlocks behindOther = index.add(other, 1, 0, tokens(0), 32, BLOCKS);
        assertSame(first, index.find(null, 1, 0, tokens(0), 0));
        assertSame(second, index.find(first, 1, 0, tokens(0), 32));
        assertSame(behindOther, index.find(other, 1, 0, tokens(0), 32));
        assertNull(index.find(null, 2, 0, tokens(0), 0));
        assertNull(index.find(null, 1, 0, tokens(0), 1));
        assertNull(index.find(null, 1, 0, tokens(0), 32), "the same tokens at another position");
        assertNull(index.find(second, 1, 0, tokens(0), 0));
        assertEquals(4, index.size());
    }

    /** With a hash that says nothing, only the tokens are left to tell. */
    @Test
    void shouldNotBelieveAHash() {
        PrefixIndex index = new PrefixIndex((before, tokens, from) -> 7);
        List<SharedBlocks> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            all.add(index.add(null, 1, 0, tokens(i), 0, BLOCKS));
        }
        SharedBlocks later = index.add(all.get(2), 1, 0, tokens(2), 32, BLOCKS);
        SharedBlocks otherVersion = index.add(null, 2, 0, tokens(2), 0, BLOCKS);
        for (int i = 0; i < 5; i++) {
            assertSame(all.get(i), index.find(null, 1, 0, tokens(i), 0));
        }
        assertSame(later, index.find(all.get(2), 1, 0, tokens(2), 32));
        assertSame(otherVersion, index.find(null, 2, 0, tokens(2), 0));
        assertNull(index.find(all.get(3), 1, 0, tokens(2), 32));
        for (int i : new int[] {4, 0, 3}) { // the last of the chain, the first, one between
            assertFalse(index.letGo(all.get(i)));
            assertSame(all.get(i), index.removeLeastNeeded());
            assertNull(index.find(null, 1, 0, tokens(i), 0));
        }
        assertSame(all.get(1), index.find(null, 1, 0, tokens(1), 0));
        assertSame(later, index.find(all.get(2), 1, 0, tokens(2), 32));
        assertEquals(4, index.size());
    }

    @Test
    void shouldGiveUpTheLongestUnusedFirstAndWhatIsBehindBeforeWhatIsBefore() {
        PrefixIndex index = new PrefixIndex();
        SharedBlocks system = index.add(null, 1, 0, tokens(0), 0, BLOCKS);
        SharedBlocks a = index.add(system, 1, 0, tokens(0), 32, BLOCKS);
        index.hold(system);
        SharedBlocks b = index.add(system, 1, 0, tokens(50), 32, BLOCKS);
        index.letGo(a);
        index.letGo(system);
        assertEquals(1, index.unused(), "the other one holds what is before");
        index.letGo(b);
        index.letGo(system);
        index.hold(system); // a third one with another end
        index.letGo(system);
        assertSame(a, index.removeLeastNeeded());
        assertSame(b, index.removeLeastNeeded());
        assertSame(system, index.removeLeastNeeded());
        assertNull(index.removeLeastNeeded());
        assertEquals(0, index.size());
    }

    @Test
    void shouldForgetOtherVersionsAndLeaveWhatIsHeld() {
        PrefixIndex index = new PrefixIndex();
        SharedBlocks held = index.add(null, 1, 0, tokens(0), 0, BLOCKS);
        SharedBlocks unheld = index.add(held, 1, 0, tokens(0), 32, BLOCKS);
        index.letGo(unheld);
        SharedBlocks newer = index.add(null, 2, 0, tokens(0), 0, BLOCKS);
        assertFalse(index.allOf(2));
        List<SharedBlocks> freed = new ArrayList<>();
        index.retain(Set.of(2L)::contains, freed::add);
        assertEquals(List.of(unheld), freed);
        assertTrue(index.allOf(2));
        assertNull(index.find(null, 1, 0, tokens(0), 0));
        assertSame(newer, index.find(null, 2, 0, tokens(0), 0));
        assertTrue(index.letGo(held), "nobody has a use for it now");
        assertNull(index.removeLeastNeeded());
        assertNotNull(index.find(null, 2, 0, tokens(0), 0));
    }
}
