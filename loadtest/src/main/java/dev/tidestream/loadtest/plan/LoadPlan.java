package dev.tidestream.loadtest.plan;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * One measured run.
 *
 * @param streamsPerConnection most streams at the same time on one connection
 * @param maxConnections most connections of an open loop; later requests wait at the client, and their clocks run
 * @param idle connections that are open and do nothing but watch the weights
 * @param think how long a user waits before the next turn of a conversation
 * @param warmup load before anything is measured
 * @param duration of the measured part; ignored if there are {@code requests}
 * @param requests to measure; absent: as many as start within {@code duration}
 * @param drain how long running streams get to end after the last has started, before they are cancelled
 * @param stall silence of a stream, in spite of credit, that counts as a breach
 * @param followShare share of the streams that follow new weights; the others pin
 * @param repeatShare share of the requests that ask again, with the same seed, what an earlier one has asked
 * @param seed of everything random in the run
 */
public record LoadPlan(
        Arrivals arrivals,
        int streamsPerConnection,
        int maxConnections,
        int idle,
        Duration think,
        Duration warmup,
        Duration duration,
        OptionalLong requests,
        Duration drain,
        Duration stall,
        CreditPolicy credit,
        double followShare,
        Slo slo,
        Faults faults,
        AdminTraffic admin,
        double repeatShare,
        long seed) {

    public LoadPlan {
        if (streamsPerConnection < 1 || maxConnections < 1 || idle < 0) {
            throw new IllegalArgumentException("streams per connection and connections must be at least 1, idle at least 0: "
                    + "streams-per-connection=" + streamsPerConnection + ", max-connections=" + maxConnections
                    + ", idle=" + idle);
        }
        if (!(followShare >= 0 && followShare <= 1)) {
            throw new IllegalArgumentException("the share that follows must be in [0, 1]: " + followShare);
        }
        if (!(repeatShare >= 0 && repeatShare <= 1)) {
            throw new IllegalArgumentException("the share that repeats must be in [0, 1]: " + repeatShare);
        }
        if (requests.isPresent() && requests.getAsLong() < 1) {
            throw new IllegalArgumentException("requests must be at least 1: " + requests.getAsLong());
        }
        if (requests.isPresent() && !arrivals.profile().isConstant()) {
            throw new IllegalArgumentException("a ramp or steps need a duration, not a number of requests");
        }
        if (requests.isEmpty() && duration.isZero()) {
            throw new IllegalArgumentException("the duration must be above 0");
        }
    }

    /** The same at another level of load, with other prompts: a server that keeps old ones must not find them. */
    public LoadPlan at(Arrivals other, long otherSeed) {
        return new LoadPlan(other, streamsPerConnection, maxConnections, idle, think, warmup, duration, requests, drain, stall,
                credit, followShare, slo, faults, admin, repeatShare, otherSeed);
    }
}
