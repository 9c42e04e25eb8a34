package dev.tidestream.server.cluster.route;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RouterTest {
    private static final long[] PROMPT = {11, 12, 13, 14};
    private final Router router = new Router(RouteWeights.DEFAULT);

    private static NodeView node(String name, long report, int running, int waiting) {
        return new NodeView(name, report, 8, running, waiting, 0, 5, Set.of(3L, 4L, 5L), Set.of("red"), false);
    }

    private static RouteRequest request(@Nullable Long pinned, long least, @Nullable String adapter) {
        return new RouteRequest(PROMPT, pinned == null ? OptionalLong.empty() : OptionalLong.of(pinned), least, adapter);
    }

    private String sendTo(RouteRequest request, List<NodeView> nodes) {
        NodeView chosen = router.choose(request, nodes).orElseThrow();
        router.sent(chosen, request);
        return chosen.node();
    }

    @Test
    void shouldChooseWhoRunsAndWaitsLeast() {
        RouteRequest request = RouteRequest.newest(PROMPT, 5);
        assertEquals("b", router.choose(request, List.of(node("a", 1, 3, 0), node("b", 1, 2, 0))).orElseThrow().node());
        assertEquals("a", router.choose(request, List.of(node("a", 1, 3, 0), node("b", 1, 2, 1))).orElseThrow().node());
    }

    @Test
    void shouldPreferTheNodeThatWasSentThePrefix() {
        RouteRequest request = RouteRequest.newest(PROMPT, 5);
        router.sent(node("a", 1, 0, 0), request);
        List<NodeView> later = List.of(node("a", 2, 5, 0), node("b", 2, 2, 0)); // 3 more streams cost less than 4 blocks
        assertEquals("a", router.choose(request, later).orElseThrow().node());
        assertEquals("b", router.choose(RouteRequest.newest(new long[] {11, 99, 98, 97}, 5), later).orElseThrow().node(), "one of four");
    }

    @Test
    void shouldForgetWhatANodeWasSent() {
        RouteRequest request = RouteRequest.newest(PROMPT, 5);
        router.sent(node("a", 1, 0, 0), request);
        assertEquals(4, router.remembered("a"));
        router.forget("a");
        assertEquals(0, router.remembered("a"));
        assertEquals("b", router.choose(request, List.of(node("a", 1, 1, 0), node("b", 1, 0, 0))).orElseThrow().node());
    }

    @Test
    void shouldPassOverANodeThatIsHot() {
        RouteRequest request = RouteRequest.newest(PROMPT, 5);
        Router onlyPrefixes = new Router(RouteWeights.DEFAULT.withCosts(1, 0, 0, 0));
        onlyPrefixes.sent(node("a", 1, 0, 0), request);
        List<NodeView> even = List.of(node("a", 2, 4, 0), node("b", 2, 2, 0));
        List<NodeView> hot = List.of(node("a", 2, 8, 0), node("b", 2, 0, 0));
        assertEquals("a", onlyPrefixes.choose(request, even).orElseThrow().node(), "would have 5 of 7, and may have 1.5 x 3.5 + 2");
        assertEquals("b", onlyPrefixes.choose(request, hot).orElseThrow().node(), "would have 9 of 9, and may have 1.5 x 4.5 + 2");
    }

    /** Else all that comes between two reports would go to one node. */
    @Test
    void shouldCountWhatWasSentSinceTheReport() {
        RouteRequest other = RouteRequest.newest(new long[0], 5);
        List<NodeView> nodes = List.of(node("a", 1, 0, 0), node("b", 1, 0, 0), node("c", 1, 0, 0));
        int[] streams = new int[3];
        for (int i = 0; i < 30; i++) {
            streams["abc".indexOf(sendTo(other, nodes))]++;
        }
        assertEquals(10, streams[0]);
        assertEquals(10, streams[1]);
        List<NodeView> next = List.of(node("a", 2, 0, 0), node("b", 1, 0, 0), node("c", 1, 0, 0));
        assertEquals("a", sendTo(other, next), "a newer report is believed");
    }

    @ParameterizedTest
    @CsvSource({
        ", 5,, true", ", 6,, false", // published, but not applied here
        "3, 6,, true", "2, 1,, false", // held, whatever is published; gone
        ", 5, red, true", ", 5, blue, false"
    })
    void shouldChooseOnlyWhoHasVersionAndAdapter(@Nullable Long pinned, long least, @Nullable String adapter, boolean chosen) {
        RouteRequest request = request(pinned, least, adapter);
        assertEquals(chosen, router.choose(request, List.of(node("a", 1, 0, 0))).isPresent());
        assertEquals(chosen, Obstacle.of(request, List.of(node("a", 1, 0, 0))).isEmpty());
    }

    @Test
    void shouldNotChooseWhoDrains() {
        NodeView leaves = new NodeView("a", 1, 8, 0, 0, 0, 5, Set.of(), Set.of(), true);
        RouteRequest request = request(null, 5, null);
        assertEquals("b", router.choose(request, List.of(leaves, node("b", 1, 8, 1))).orElseThrow().node());
        assertEquals(Optional.empty(), router.choose(request, List.of(leaves)));
    }

    @Test
    void shouldSayWhatKeepsAStreamFromAll() {
        NodeView leaves = new NodeView("a", 1, 8, 0, 0, 0, 5, Set.of(), Set.of("blue"), true);
        NodeView old = new NodeView("b", 1, 8, 0, 0, 0, 4, Set.of(), Set.of("blue"), false);
        assertEquals(Optional.of(Obstacle.NO_NODE), Obstacle.of(request(null, 5, "blue"), List.of()));
        assertEquals(Optional.of(Obstacle.DRAINING), Obstacle.of(request(null, 5, "blue"), List.of(leaves)));
        assertEquals(Optional.of(Obstacle.VERSION), Obstacle.of(request(null, 5, "blue"), List.of(leaves, old)));
        assertEquals(Optional.of(Obstacle.ADAPTER), Obstacle.of(request(null, 5, "blue"), List.of(node("c", 1, 0, 0), leaves, old)));
        assertEquals(Optional.empty(), Obstacle.of(request(null, 5, "red"), List.of(node("c", 1, 0, 0), leaves, old)));
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 0, 0", "1, -1, 0, 0", "1, 0, -1, 0", "1, 0, 0, 1.1", "1, 0, 0, NaN"})
    void shouldRefuseViewsOutOfRange(int slots, int running, int waiting, double kvUse) {
        String message = String.valueOf(assertThrows(IllegalArgumentException.class,
                () -> new NodeView("n7", 1, slots, running, waiting, kvUse, 1, Set.of(), Set.of(), false)).getMessage());
        assertTrue(message.contains("node=n7"), message);
    }
}
