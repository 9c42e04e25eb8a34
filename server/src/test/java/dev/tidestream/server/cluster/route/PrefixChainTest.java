package dev.tidestream.server.cluster.route;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PrefixChainTest {
    private static final PrefixChain CHAIN = new PrefixChain("model", 3, null);

    private static int[] tokens(int count, long seed) {
        return new Random(seed).ints(count, 0, 128_256).toArray();
    }

    @Test
    void shouldHaveOneHashForEachFullBlock() {
        for (int count : new int[] {0, 1, 63, 64, 65, 127, 128, 1000}) {
            assertEquals(count / 64, CHAIN.blocks(tokens(count, 1)).length, "tokens=" + count);
        }
        assertEquals(1024, CHAIN.blocks(tokens(1024 * 64 + 640, 1)).length);
    }

    /** Gateways of another build, or on another platform, have to agree: figures of an implementation in Python. */
    @Test
    void shouldHashTheSameEverywhere() {
        int[] counted = new int[128];
        Arrays.setAll(counted, i -> i);
        assertArrayEquals(new long[] {0x67615e60e4732289L, 0x2dbc34a90331432dL}, new PrefixChain("m", 1, "a").blocks(counted));
    }

    @Test
    void shouldShareHashesUpToTheFirstDifference() {
        int[] tokens = tokens(640, 2);
        long[] hashes = CHAIN.blocks(tokens);
        for (int changed : new int[] {0, 63, 64, 300, 639}) {
            int[] other = tokens.clone();
            other[changed]++;
            long[] others = CHAIN.blocks(other);
            for (int block = 0; block < hashes.length; block++) {
                assertEquals(block < changed / 64, hashes[block] == others[block], "changed=%d, block=%d".formatted(changed, block));
            }
        }
        assertArrayEquals(Arrays.copyOf(hashes, 7), CHAIN.blocks(Arrays.copyOf(tokens, 7 * 64 + 5)));
    }

    @Test
    void shouldDependOnAllThatKvBlocksDependOn() {
        int[] tokens = tokens(64, 3);
        Set<Long> seen = new HashSet<>();
        int chains = 0;
        for (String model : new String[] {"", "model", "model2"}) {
            for (long version : new long[] {0, 1, 1L << 32}) {
                for (String adapter : new String[] {null, "", "a", "model"}) {
                    seen.add(new PrefixChain(model, version, adapter).blocks(tokens)[0]);
                    chains++;
                }
            }
        }
        assertEquals(chains, seen.size());
    }

    @Test
    void shouldTellBlocksApartByWhatIsBeforeThem() {
        int[] twice = new int[128];
        Arrays.fill(twice, 7);
        long[] hashes = CHAIN.blocks(twice);
        assertTrue(hashes[0] != hashes[1]);
    }
}
