package dev.tidestream.server.cluster.route;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a router promises whoever comes, from the same seeds each time. */
class RouterPropertyTest {
    private static final int SEEDS = 50;

    /** Nodes whose reports are as old as the test wants, and the streams that they really have. */
    private static final class Fleet {
        final Map<String, Integer> streams = new HashMap<>();
        final Map<String, Integer> slots = new HashMap<>();
        final List<NodeView> views = new ArrayList<>();
        private long reports;

        Fleet(Random random, int nodes) {
            for (int i = 0; i < nodes; i++) {
                slots.put("n" + i, 4 << random.nextInt(3));
                streams.put("n" + i, 0);
            }
            report();
        }

        void report() {
            views.clear();
            reports++;
            streams.forEach((node, count) -> {
                int size = slots.getOrDefault(node, 0);
                views.add(new NodeView(
                        node, reports, size, Math.min(size, count), Math.max(0, count - size), 0, 1, Set.of(), Set.of(), false));
            });
        }

        int total() {
            return streams.values().stream().mapToInt(Integer::intValue).sum();
        }

        int allSlots() {
            return slots.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    private static long[] prompt(Random random, int families) {
        long[] blocks = new long[random.nextInt(40)];
        long family = random.nextInt(families);
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = i < 20 ? family * 100 + i : random.nextLong();
        }
        return blocks;
    }

    @Test
    void shouldNeverMakeANodeHot() {
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            Fleet fleet = new Fleet(random, 2 + random.nextInt(12));
            RouteWeights weights = RouteWeights.DEFAULT.withCosts(random.nextInt(100), random.nextInt(3), random.nextInt(3), 0);
            Router router = new Router(weights);
            for (int stream = 0; stream < 400; stream++) {
                RouteRequest request = RouteRequest.newest(prompt(random, 3), 1);
                NodeView chosen = router.choose(request, fleet.views).orElseThrow();
                router.sent(chosen, request);
                int now = fleet.streams.merge(chosen.node(), 1, Integer::sum);
                double share = (double) fleet.total() * chosen.slots() / fleet.allSlots();
                assertTrue(now <= weights.balance() * share + weights.slack(),
                        "seed=%d, stream=%d, node has %d, share %.2f".formatted(seed, stream, now, share));
                if (random.nextInt(20) == 0) {
                    fleet.report();
                }
            }
        }
    }

    @Test
    void shouldRememberNoMoreThanItMay() {
        Random random = new Random(5);
        Router router = new Router(RouteWeights.DEFAULT.withMemory(100, 8));
        for (int round = 0; round < 2000; round++) {
            NodeView node = new NodeView("n" + random.nextInt(20), round, 4, 0, 0, 0, 1, Set.of(), Set.of(), false);
            router.sent(node, RouteRequest.newest(random.longs(random.nextInt(300)).toArray(), 1));
            int nodes = 0;
            for (int i = 0; i < 20; i++) {
                int remembered = router.remembered("n" + i);
                assertTrue(remembered <= 100, "node n%d: %d".formatted(i, remembered));
                nodes += remembered > 0 ? 1 : 0;
            }
            assertTrue(nodes <= 8, "nodes=" + nodes);
        }
    }

    /** Of families of prompts that are few enough for the nodes, each settles: nearly all of their blocks go where they were. */
    @Test
    void shouldSendPromptsThatBeginAlikeToTheSameNode() {
        for (long seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            Fleet fleet = new Fleet(random, 4);
            Router router = new Router(RouteWeights.DEFAULT);
            Map<String, Set<Long>> computed = new HashMap<>();
            int blocks = 0;
            int reused = 0;
            for (int stream = 0; stream < 500; stream++) {
                long family = random.nextInt(8);
                long[] prompt = new long[16];
                Arrays.setAll(prompt, i -> family * 100 + i);
                RouteRequest request = RouteRequest.newest(prompt, 1);
                fleet.report(); // every stream has ended
                NodeView chosen = router.choose(request, fleet.views).orElseThrow();
                router.sent(chosen, request);
                Set<Long> known = computed.computeIfAbsent(chosen.node(), n -> new HashSet<>());
                for (long block : prompt) {
                    blocks++;
                    reused += known.add(block) ? 0 : 1;
                }
            }
            assertEquals(8 * 16, blocks - reused, "each is computed once, seed=" + seed);
        }
    }

    @Test
    void shouldChooseTheSameFromTheSameHistory() {
        for (long seed = 0; seed < SEEDS; seed++) {
            assertEquals(history(seed, false), history(seed, false));
            assertEquals(history(seed, false), history(seed, true), "the order of the nodes does not matter");
        }
    }

    private static List<String> history(long seed, boolean reversed) {
        Random random = new Random(seed);
        Fleet fleet = new Fleet(random, 5);
        Router router = new Router(RouteWeights.DEFAULT);
        List<String> chosen = new ArrayList<>();
        for (int stream = 0; stream < 200; stream++) {
            RouteRequest request = RouteRequest.newest(prompt(random, 4), 1);
            NodeView node = router.choose(request, reversed ? fleet.views.reversed() : fleet.views).orElseThrow();
            router.sent(node, request);
            chosen.add(node.node());
            fleet.streams.merge(node.node(), 1, Integer::sum);
            if (random.nextInt(10) == 0) {
                fleet.report();
            }
        }
        return chosen;
    }
}
