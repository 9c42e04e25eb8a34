package dev.tidestream.server.scheduler.fair;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.tidestream.protocol.options.Priority;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/** What turns promise, whatever they cost and whoever comes and goes. */
class FairSharesPropertyTest {
    private static final int SEEDS = 200;

    private static Party party(int account, int connection) {
        return new Party("a" + account, "a" + account + "c" + connection);
    }

    private static int cost(Random random, int most) {
        return 1 + (random.nextInt(4) == 0 ? random.nextInt(most) : random.nextInt(Math.max(1, most / 20)));
    }

    /** Members that always want more, of very different costs, differ by 3 quanta and two items at most, at any moment. */
    @ParameterizedTest
    @ValueSource(longs = {1, 16, 128, 1000})
    void shouldServeAllThatWaitTheSameButForABound(long quantum) {
        int most = 500;
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            int count = 2 + random.nextInt(6);
            Ring<Integer> ring = new Ring<>(quantum);
            int[] largest = new int[count];
            long[] served = new long[count];
            for (int i = 0; i < count; i++) {
                ring.join(i);
                largest[i] = 1 + random.nextInt(most);
            }
            for (int turn = 0; turn < 2000; turn++) {
                Integer next = ring.next(i -> true);
                assertNotNull(next);
                int cost = cost(random, largest[next]);
                ring.charge(next, cost);
                served[next] += cost;
                for (int i = 0; i < count; i++) {
                    if (Math.abs(served[next] - served[i]) > 3 * quantum + 2L * most) {
                        fail("seed=%d, turn=%d, served=%d and %d".formatted(seed, turn, served[next], served[i]));
                    }
                }
            }
        }
    }

    /** Accounts get the same however many connections they have; of an account, its connections do. */
    @Test
    void shouldServeAccountsTheSameAndTheirConnectionsTheSame() {
        long quantum = 8;
        FairShares shares = new FairShares(quantum);
        Map<Party, Long> served = new HashMap<>();
        for (int connection = 0; connection < 50; connection++) {
            served.put(party(1, connection), 0L);
        }
        served.put(party(2, 0), 0L);
        served.put(party(3, 0), 0L);
        served.put(party(3, 1), 0L);
        served.keySet().forEach(shares::join);
        Random random = new Random(7);
        for (int turn = 0; turn < 60_000; turn++) {
            Party next = shares.next(p -> true);
            assertNotNull(next);
            int cost = cost(random, 40);
            shares.charge(next, cost);
            served.merge(next, (long) cost, Long::sum);
        }
        long bound = 3 * quantum + 2 * 40;
        long whole = of(served, 2);
        assertTrue(Math.abs(of(served, 1) - whole) <= bound, served.toString());
        assertTrue(Math.abs(of(served, 3) - whole) <= bound, served.toString());
        assertTrue(Math.abs(served.getOrDefault(party(3, 0), 0L) - served.getOrDefault(party(3, 1), 0L)) <= bound, served.toString());
        for (int connection = 1; connection < 50; connection++) {
            assertTrue(Math.abs(served.getOrDefault(party(1, connection), 0L) - served.getOrDefault(party(1, 0), 0L)) <= bound,
                    served.toString());
        }
    }

    private static long of(Map<Party, Long> served, int account) {
        return served.entrySet().stream().filter(e -> e.getKey().account().equals("a" + account)).mapToLong(Map.Entry::getValue).sum();
    }

    /** Work conservation: somebody is served if anybody can be; and never who cannot. */
    @Test
    void shouldFindSomebodyWheneverThereIsOne() {
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            FairShares shares = new FairShares(1 + random.nextInt(50));
            List<Party> here = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                if (random.nextInt(3) == 0) {
                    Party comes = party(random.nextInt(4), random.nextInt(3));
                    shares.join(comes);
                    here.add(comes);
                } else if (!here.isEmpty() && random.nextInt(4) == 0) {
                    shares.leave(here.remove(random.nextInt(here.size())));
                }
                int only = random.nextInt(5);
                Party next = shares.next(p -> only == 4 || p.account().equals("a" + only));
                boolean any = here.stream().anyMatch(p -> only == 4 || p.account().equals("a" + only));
                assertEquals(any, next != null);
                if (next != null) {
                    assertTrue(here.contains(next) && (only == 4 || next.account().equals("a" + only)));
                    assertEquals(next, shares.next(p -> only == 4 || p.account().equals("a" + only)), "until it is charged");
                    assertTrue(shares.balance(next) > 0);
                    shares.charge(next, random.nextInt(10_000));
                }
            }
        }
    }

    /** Whoever comes new is served after at most a quantum and one item of each of the others. */
    @Test
    void shouldServeANewcomerAfterAQuantumOfEachOther() {
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            long quantum = 1L + random.nextInt(100);
            FairShares shares = new FairShares(quantum);
            int others = 1 + random.nextInt(5);
            for (int i = 0; i < others; i++) {
                shares.join(party(i, 0));
            }
            for (int turn = 0; turn < 100; turn++) {
                serve(shares, random);
            }
            shares.join(party(9, 0));
            Map<Object, Long> before = new HashMap<>();
            for (Party next = serve(shares, random); !next.equals(party(9, 0)); next = serve(shares, random)) {
                before.merge(next.account(), 1L, Long::sum);
                assertTrue(before.getOrDefault(next.account(), 0L) <= quantum, "each item costs 1 at least");
            }
        }
    }

    private static Party serve(FairShares shares, Random random) {
        Party next = shares.next(p -> true);
        assertNotNull(next);
        shares.charge(next, cost(random, 300));
        return next;
    }

    /** Whoever owes a lot waits for others while there are any, and not at all once there are none. */
    @Test
    void shouldLetDebtsCountAmongThoseThatWaitOnly() {
        FairShares shares = new FairShares(10);
        shares.join(party(1, 0));
        shares.join(party(2, 0));
        shares.charge(party(1, 0), 1_000_000_000_000L);
        for (int turn = 0; turn < 1000; turn++) {
            assertEquals(party(2, 0), shares.next(p -> true));
            shares.charge(party(2, 0), 100);
        }
        assertEquals(party(1, 0), shares.next(p -> p.equals(party(1, 0))));
        shares.charge(party(1, 0), 1_000_000);
        shares.forgive();
        shares.charge(party(2, 0), 11);
        assertEquals(party(1, 0), shares.next(p -> true));
        assertNull(shares.next(p -> false));
    }

    /** Nobody saves turns that it had no use for. */
    @Test
    void shouldLetNobodySaveTurns() {
        FairShares shares = new FairShares(10);
        shares.join(party(1, 0));
        shares.join(party(2, 0));
        for (int turn = 0; turn < 1000; turn++) {
            assertEquals(party(2, 0), shares.next(p -> p.equals(party(2, 0))));
            shares.charge(party(2, 0), 100);
        }
        long first = 0;
        while (party(1, 0).equals(shares.next(p -> true))) {
            shares.charge(party(1, 0), 1);
            first++;
        }
        assertTrue(first <= 2 * 100 + 3 * 10, "first=" + first);
    }

    /** However much is owed, a choice looks at each member three times at most. */
    @Test
    void shouldCostAsMuchAsThereAreMembers() {
        Ring<Integer> ring = new Ring<>(1);
        for (int i = 0; i < 100; i++) {
            ring.join(i);
            ring.charge(i, 1_000_000_000L + i);
        }
        AtomicLong looks = new AtomicLong();
        assertEquals(0, ring.next(i -> looks.incrementAndGet() > 0));
        assertTrue(looks.get() <= 300, "looks=" + looks);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 0.3, 0.5})
    void shouldOweBatchStreamsTheirShareOfTheTokens(double share) {
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            BatchShare batch = new BatchShare(() -> share);
            long interactive = 0;
            long served = 0;
            while (interactive + served < 1_000_000) {
                int cost = cost(random, 1000);
                if (batch.isOwed()) {
                    batch.batchServed(cost);
                    served += cost;
                } else {
                    batch.interactiveServed(cost);
                    interactive += cost;
                }
            }
            assertEquals(share, (double) served / (interactive + served), 0.0025, "seed=" + seed);
        }
    }

    @Test
    void shouldOweBatchStreamsNothingForTimesInWhichNoneWaited() {
        BatchShare batch = new BatchShare(() -> 0.5);
        batch.interactiveServed(1_000_000_000);
        batch.batchServed((long) BatchShare.MOST_OWED - 1);
        assertTrue(batch.isOwed(), "one is left");
        batch.nobodyWaits();
        assertFalse(batch.isOwed());
    }

    @Test
    void shouldForgiveBatchStreamsWhatTheyHadInAdvanceOnceNobodyWaits() {
        Turns turns = new Turns(() -> 0.5);
        Standing batch = new Standing(party(1, 0), Priority.BATCH, 1);
        Standing interactive = new Standing(party(2, 0), Priority.INTERACTIVE, 2);
        turns.charge(batch, 1_000_000, true);
        turns.charge(interactive, 1, true);
        assertFalse(turns.batchIsOwed());
        turns.nobodyWaits();
        turns.charge(interactive, 1, true);
        assertTrue(turns.batchIsOwed());
    }
}
