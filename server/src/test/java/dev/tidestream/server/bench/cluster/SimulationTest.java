package dev.tidestream.server.bench.cluster;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import dev.tidestream.server.bench.cluster.SimResult.Phase;
import dev.tidestream.server.cluster.route.RouteWeights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class SimulationTest {
    private static final SimConfig SMALL = SimConfig.DEFAULT.withTime(5, 20, 1).withTraffic(Traffic.CHAT.withRate(0.9));

    private static Phase only(SimConfig config) {
        SimResult result = Simulation.run(config);
        assertEquals(1, result.phases().size());
        return result.phases().getFirst();
    }

    @ParameterizedTest
    @EnumSource(Policy.class)
    void shouldGiveTheSameFiguresFromTheSameSeed(Policy policy) {
        SimConfig config = SMALL.withPolicy(policy, RouteWeights.DEFAULT).withFault(new Fault(5, 1, 8));
        SimResult first = Simulation.run(config);
        assertEquals(first, Simulation.run(config));
        assertNotEquals(first, Simulation.run(config.withTime(5, 20, 2)));
    }

    @Test
    void shouldAnswerAllThatWasAskedFor() {
        Phase all = only(SMALL);
        assertTrue(all.asked() > 20, () -> "asked=" + all.asked());
        assertEquals(all.asked(), all.finished());
        assertEquals(0, all.refused());
        assertTrue(all.hitRate() > 0 && all.hitRate() <= all.mostHitRate() + 0.05, all.toString());
    }

    /** One stream of a short prompt takes what the machine was measured to take. */
    @Test
    void shouldTakeAsLongAsWasMeasured() {
        Traffic rare = new Traffic(0.02, 1, 0, 1, 64, 64, 1);
        Phase all = only(SMALL.withNodes(1, 1).withTraffic(rare).withTime(0, 2000, 3));
        assertTrue(all.asked() > 20, all.toString());
        assertEquals(1000 / 64.2, all.gapP50Ms(), 0.2);
        assertTrue(all.ttftP50Ms() > 1000 / 64.2 && all.ttftP99Ms() < 200, all.toString());
    }

    @Test
    void shouldGoOnElsewhereWhenARackGoesDark() {
        SimResult result = Simulation.run(SMALL.withNodes(6, 1).withTime(5, 40, 1).withFault(new Fault(10, 2, 20)));
        assertEquals(3, result.phases().size());
        long asked = result.phases().stream().mapToLong(Phase::asked).sum();
        long finished = result.phases().stream().mapToLong(Phase::finished).sum();
        assertEquals(asked, finished, "nobody loses a stream");
        assertTrue(result.phases().get(1).moved() > 0, result.toString());
        assertTrue(result.movedStreams() > 0 && result.pauseMs() >= 2000, result.toString());
        assertEquals(0, result.phases().getFirst().moved());
    }

    @Test
    void shouldRefuseWhatNoWorkerCanTake() {
        Phase all = only(SMALL.withNodes(1, 1).withTraffic(Traffic.CHAT.withRate(40)));
        assertTrue(all.refused() > 0, all.toString());
        assertEquals(all.asked(), all.finished() + all.refused(), "every request has an answer");
    }

    @Test
    void shouldHitMoreWithPrefixesThanWithoutAndStayEven() {
        SimConfig config = SMALL.withNodes(6, 1).withTime(10, 60, 1);
        Phase blended = only(config);
        Phase roundRobin = only(config.withPolicy(Policy.ROUND_ROBIN, RouteWeights.DEFAULT));
        assertTrue(blended.hitRate() > roundRobin.hitRate() + 0.05, "%s, %s".formatted(blended, roundRobin));
        assertTrue(blended.ttftP50Ms() <= roundRobin.ttftP50Ms(), "%s, %s".formatted(blended, roundRobin));
    }

    @Test
    void shouldRefuseTrafficAndFaultsOutOfRange() {
        assertThrows(IllegalArgumentException.class, () -> Traffic.CHAT.withRate(0));
        assertThrows(IllegalArgumentException.class, () -> new Traffic(1, 1, 512, 40, 256, 256, 1));
        assertThrows(IllegalArgumentException.class, () -> new Fault(1, 5, 5));
        assertThrows(IllegalArgumentException.class, () -> SMALL.withNodes(0, 1));
        assertThrows(IllegalArgumentException.class, () -> SMALL.withDelays(0, 0));
    }
}
