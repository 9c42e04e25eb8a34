package dev.tidestream.server.canary;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.canary.RollbackRule.Broken;

import static org.junit.jupiter.api.Assertions.assertEquals;

class RollbackRuleTest {
    private static final OptionalDouble NO = OptionalDouble.empty();
    private static final ShadowFigures NO_SHADOW = ShadowFigures.NONE;

    private static SideFigures side(long tokens, double meanLogprob) {
        return new SideFigures(5, tokens, tokens, tokens * meanLogprob, 0, 0, 0);
    }

    private static SideFigures ended(long streams, long failed) {
        return new SideFigures(streams, 0, 0, 0, streams, failed, 0);
    }

    private static ShadowFigures shadow(int rows, double kl, int nonFinite) {
        return new ShadowFigures(1, 0, rows, rows, nonFinite, 1, rows * kl, kl, 0, 0, List.of(), 0);
    }

    private static Optional<CanaryEnd> why(Optional<Broken> broken) {
        return broken.map(Broken::why);
    }

    @Test
    void shouldNotJudgeByAFewTokens() {
        RollbackRule rule = new RollbackRule(100, 10, OptionalDouble.of(-3), NO, NO, NO, true);
        assertEquals(Optional.empty(), why(rule.broken(side(99, -9), side(500, -1), NO_SHADOW)));
        assertEquals(Optional.of(CanaryEnd.MEAN_LOGPROB), why(rule.broken(side(100, -9), side(0, 0), NO_SHADOW)));
        assertEquals(Optional.empty(), why(rule.broken(side(100, -3), side(0, 0), NO_SHADOW)), "the bound itself is allowed");
        assertEquals("mean_logprob=-9.0, bound=-3.0", rule.broken(side(100, -9), side(0, 0), NO_SHADOW).orElseThrow().detail());
    }

    @Test
    void shouldCompareWithTheCurrentVersion() {
        RollbackRule rule = new RollbackRule(100, 10, NO, OptionalDouble.of(0.5), NO, NO, true);
        assertEquals(Optional.empty(), why(rule.broken(side(200, -2), side(99, -1), NO_SHADOW)));
        assertEquals(Optional.of(CanaryEnd.LOGPROB_DROP), why(rule.broken(side(200, -2), side(100, -1), NO_SHADOW)));
        assertEquals(Optional.empty(), why(rule.broken(side(200, -1.25), side(100, -1), NO_SHADOW)));
        assertEquals(Optional.empty(), why(rule.broken(side(200, -0.5), side(100, -1), NO_SHADOW)), "it may be better");
    }

    @Test
    void shouldCountFailedStreams() {
        RollbackRule rule = new RollbackRule(100, 10, NO, NO, OptionalDouble.of(0.1), NO, true);
        assertEquals(Optional.empty(), why(rule.broken(ended(9, 9), ended(0, 0), NO_SHADOW)));
        assertEquals(Optional.of(CanaryEnd.FAILED_SHARE), why(rule.broken(ended(10, 2), ended(0, 0), NO_SHADOW)));
        assertEquals(Optional.empty(), why(rule.broken(ended(10, 1), ended(50, 50), NO_SHADOW)));
    }

    @Test
    void shouldBelieveTheShadow() {
        RollbackRule rule = new RollbackRule(100, 10, NO, NO, NO, OptionalDouble.of(0.01), true);
        assertEquals(Optional.empty(), why(rule.broken(side(0, 0), side(0, 0), shadow(99, 1, 0))));
        assertEquals(Optional.of(CanaryEnd.KL), why(rule.broken(side(0, 0), side(0, 0), shadow(100, 0.02, 0))));
        assertEquals(Optional.of(CanaryEnd.NON_FINITE), why(rule.broken(side(0, 0), side(0, 0), shadow(1, 0, 1))));
    }

    @Test
    void shouldEndAtTheFirstRowThatIsNotFiniteUnlessTold() {
        SideFigures poisoned = SideFigures.NONE.withTokens(0, 0, 0, 1);
        assertEquals(Optional.of(CanaryEnd.NON_FINITE), why(RollbackRule.NON_FINITE_ONLY.broken(poisoned, SideFigures.NONE, NO_SHADOW)));
        RollbackRule none = new RollbackRule(1, 1, NO, NO, NO, NO, false);
        assertEquals(Optional.empty(), why(none.broken(poisoned, SideFigures.NONE, NO_SHADOW)));
    }
}
