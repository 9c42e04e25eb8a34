package dev.tidestream.server.canary;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.epoch.Lease;
import dev.tidestream.server.epoch.Trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A canary over a running engine. */
class CanaryTest {
    private static final OptionalDouble NO = OptionalDouble.empty();

    private static CanarySpec half(RollbackRule rule) {
        return new CanarySpec(2, 0.5, CanarySpec.By.SEED, rule);
    }

    @Test
    void shouldBeginWithTheVersionOfTheSeedAndCountBothSides() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.1f)) {
            CanarySpec spec = half(RollbackRule.NON_FINITE_ONLY);
            f.trials.begin(spec, f.lease(2));
            long canary = 0;
            for (int seed = 0; seed < 20; seed++) {
                Set<Long> versions = new HashSet<>();
                List<TokenEvent.Token> tokens = f.tokens(TrialFixture.prompt(4, seed), 5, seed, 0.9f);
                tokens.forEach(token -> versions.add(token.weightsVersion()));
                assertEquals(Set.of(spec.takes(seed, "") ? 2L : 1L), versions, "seed " + seed);
                canary += spec.takes(seed, "") ? 1 : 0;
            }
            CanaryReport report = f.trials.canary().orElseThrow();
            assertTrue(report.runs() && canary > 3 && canary < 17, report.toString());
            assertEquals(canary, report.canary().streams());
            assertEquals(20 - canary, report.baseline().streams());
            assertEquals(5 * canary, report.canary().tokens());
            assertEquals(5 * (20 - canary), report.baseline().tokens());
            assertEquals(canary, report.canary().endedStreams());
            assertEquals(0, report.canary().failedStreams());
        }
    }

    @Test
    void shouldMeanWhatStreamsAreTold() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.1f)) {
            f.trials.begin(new CanarySpec(2, 1, CanarySpec.By.SEED, RollbackRule.NON_FINITE_ONLY), f.lease(2));
            double sum = 0;
            for (TokenEvent.Token token : f.tokens(TrialFixture.prompt(4, 1), 30, 3, 0.9f)) {
                sum += token.logprob() == null ? Double.NaN : token.logprob();
            }
            assertEquals(sum / 30, f.trials.canary().orElseThrow().canary().meanLogprob(), 1e-5);
        }
    }

    @Test
    void shouldEndByItsRuleAndLetStreamsGoOn() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.1f)) {
            List<CanaryReport> ended = new ArrayList<>();
            f.trials.onCanaryEnd(ended::add);
            RollbackRule rule = new RollbackRule(10, 10, OptionalDouble.of(-0.001), NO, NO, NO, true);
            f.trials.begin(new CanarySpec(2, 1, CanarySpec.By.SEED, rule), f.lease(2));
            List<TokenEvent.Token> tokens = f.tokens(TrialFixture.prompt(4, 1), 30, 3, 1f);
            assertEquals(30, tokens.size());
            assertTrue(tokens.stream().allMatch(token -> token.weightsVersion() == 2));
            CanaryReport report = ended.getFirst();
            assertEquals(CanaryEnd.MEAN_LOGPROB, Objects.requireNonNull(report.end()).why());
            assertEquals(10, report.canary().scoredTokens(), "at the first chance");
            assertTrue(report.end().detail().startsWith("mean_logprob=-"), report.end().detail());
            assertEquals(Trial.NO_VERSION, f.trials.weightsVersion());
            assertTrue(f.tokens(TrialFixture.prompt(4, 1), 5, 3, 1f).stream().allMatch(token -> token.weightsVersion() == 1));
        }
    }

    @Test
    void shouldLoseNoStreamToAPoisonedVersion() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, Float.MAX_VALUE)) {
            List<TokenEvent.Token> alone = f.tokens(TrialFixture.prompt(4, 1), 12, 3, 0.9f);
            f.trials.begin(new CanarySpec(2, 1, CanarySpec.By.SEED, RollbackRule.NON_FINITE_ONLY), f.lease(2));
            List<TokenEvent> events = f.stream(TrialFixture.prompt(4, 1), 12, 3, 0.9f).collectList().blockOptional().orElseThrow();
            TokenEvent.Accepted accepted = (TokenEvent.Accepted) events.getFirst();
            assertEquals(2, accepted.weightsVersion());
            assertEquals(alone.stream().map(t -> t.token() + " " + t.weightsVersion() + " " + t.logprob()).toList(),
                    events.stream().filter(TokenEvent.Token.class::isInstance).map(TokenEvent.Token.class::cast)
                            .map(t -> t.token() + " " + t.weightsVersion() + " " + t.logprob()).toList());
            CanaryReport report = f.trials.canary().orElseThrow();
            assertEquals(CanaryEnd.NON_FINITE, Objects.requireNonNull(report.end()).why());
            assertEquals(1, report.canary().nonFiniteRows());
            assertEquals(0, report.canary().failedStreams());
        }
    }

    @Test
    void shouldEndWhenAVersionIsPublished() {
        try (TrialFixture f = new TrialFixture(ShadowLimits.DEFAULT, 1.1f)) {
            f.trials.begin(half(RollbackRule.NON_FINITE_ONLY), f.lease(2));
            try (Lease refused = f.lease(2)) {
                assertThrows(IllegalStateException.class, () -> f.trials.begin(half(RollbackRule.NON_FINITE_ONLY), refused));
            }
            assertTrue(f.epochs.publishHeld(2));
            assertEquals(CanaryEnd.PROMOTED, Objects.requireNonNull(f.trials.canary().orElseThrow().end()).why());
            assertFalse(f.trials.watches());
            assertEquals(2, f.tokens(TrialFixture.prompt(4, 1), 1, 3, 1f).getFirst().weightsVersion());
        }
    }
}
