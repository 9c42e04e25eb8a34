package dev.tidestream.server.weights;

import java.util.Locale;
import java.util.Set;

import io.vertx.core.buffer.Buffer;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.canary.CanarySpec;
import dev.tidestream.server.canary.RollbackRule;
import dev.tidestream.server.canary.ShadowSpec;

/** Bodies of requests about versions that are tried. */
final class TrialRequests {
    private static final int MAX_COUNT = 1_000_000_000;
    private static final double MAX_NATS = 1e6;

    private TrialRequests() {}

    /** {@code {"version"}}. */
    static long version(Buffer body) throws AdminException {
        return version(WeightRequests.read(body, Set.of("version")));
    }

    private static long version(WeightRequests request) throws AdminException {
        return request.number("version", -1, 1, Long.MAX_VALUE);
    }

    private static double share(WeightRequests request) throws AdminException {
        double share = request.decimal("share", 0, 1).orElseThrow(() -> WeightRequests.missing("share"));
        if (share == 0) {
            throw new AdminException(AdminErrorCode.INVALID_VALUE, "share must be above 0: " + share);
        }
        return share;
    }

    /** {@code {"version", "share", "by"?, "rule"?}}. */
    static CanarySpec canary(Buffer body) throws AdminException {
        WeightRequests request = WeightRequests.read(body, Set.of("version", "share", "by", "rule"));
        return new CanarySpec(version(request), share(request),
                CanarySpec.By.valueOf(request.text("by", "seed", "seed|key").toUpperCase(Locale.ROOT)), rule(request));
    }

    private static RollbackRule rule(WeightRequests request) throws AdminException {
        WeightRequests rule = request.object("rule", Set.of("min_tokens", "min_streams", "min_mean_logprob", "max_logprob_drop",
                "max_failed_share", "max_kl", "non_finite"));
        return new RollbackRule(
                (int) rule.number("min_tokens", RollbackRule.DEFAULT_MIN_TOKENS, 1, MAX_COUNT),
                (int) rule.number("min_streams", RollbackRule.DEFAULT_MIN_STREAMS, 1, MAX_COUNT),
                rule.decimal("min_mean_logprob", -MAX_NATS, 0),
                rule.decimal("max_logprob_drop", 0, MAX_NATS),
                rule.decimal("max_failed_share", 0, 1),
                rule.decimal("max_kl", 0, MAX_NATS),
                rule.flag("non_finite", true));
    }

    /** {@code {"version", "share"}}. */
    static ShadowSpec shadow(Buffer body) throws AdminException {
        WeightRequests request = WeightRequests.read(body, Set.of("version", "share"));
        return new ShadowSpec(version(request), share(request));
    }
}
