package dev.tidestream.server.bench.cluster;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.cluster.route.RouteWeights;

/**
 * What is simulated.
 *
 * @param workers that compute, at least 1
 * @param gateways that route, each on its own; conversations go to them in turn
 * @param slots of a worker
 * @param kvPositions that a worker has memory for, half of which it may keep for prompts to come
 * @param reportMs milliseconds between two reports of a worker to the gateways
 * @param hopMs milliseconds of a message between gateway and worker
 * @param warmUpS seconds that are not measured
 * @param measuredS seconds that are
 * @param seed of all that is random
 * @param fault null for none
 */
public record SimConfig(
        int workers,
        int gateways,
        Machine machine,
        Policy policy,
        RouteWeights weights,
        Traffic traffic,
        int slots,
        int kvPositions,
        double reportMs,
        double hopMs,
        double warmUpS,
        double measuredS,
        long seed,
        @Nullable Fault fault) {
    /** Three workers and one gateway. */
    public static final SimConfig DEFAULT = new SimConfig(3, 1, Machine.AVX512, Policy.BLENDED, RouteWeights.DEFAULT, Traffic.CHAT,
            16, 65_536, 500, 0.2, 30, 120, 1, null);

    /** Checks. */
    public SimConfig {
        if (workers < 1 || gateways < 1 || slots < 1 || slots > machine.maxRows() || kvPositions < PacedModel.CONTEXT
                || !(reportMs > 0) || !(hopMs >= 0) || !(warmUpS >= 0) || !(measuredS > 0)) {
            throw new IllegalArgumentException(
                    "out of range: workers=%d, gateways=%d, slots=%d (at most %d), kv_positions=%d (at least %d), report_ms=%s, hop_ms=%s, "
                            .formatted(workers, gateways, slots, machine.maxRows(), kvPositions, PacedModel.CONTEXT, reportMs, hopMs)
                            + "warm_up_s=%s, measured_s=%s".formatted(warmUpS, measuredS));
        }
    }

    /** The same with so many workers and gateways. */
    public SimConfig withNodes(int newWorkers, int newGateways) {
        return new SimConfig(newWorkers, newGateways, machine, policy, weights, traffic, slots, kvPositions, reportMs, hopMs, warmUpS,
                measuredS, seed, fault);
    }

    /** The same with other workers. */
    public SimConfig withWorkers(Machine newMachine, int newSlots, int newKvPositions) {
        return new SimConfig(workers, gateways, newMachine, policy, weights, traffic, newSlots, newKvPositions, reportMs, hopMs, warmUpS,
                measuredS, seed, fault);
    }

    /** The same, routed otherwise. */
    public SimConfig withPolicy(Policy newPolicy, RouteWeights newWeights) {
        return new SimConfig(workers, gateways, machine, newPolicy, newWeights, traffic, slots, kvPositions, reportMs, hopMs, warmUpS,
                measuredS, seed, fault);
    }

    /** The same with other traffic. */
    public SimConfig withTraffic(Traffic newTraffic) {
        return new SimConfig(workers, gateways, machine, policy, weights, newTraffic, slots, kvPositions, reportMs, hopMs, warmUpS,
                measuredS, seed, fault);
    }

    /** The same with other times between reports, and on the way. */
    public SimConfig withDelays(double newReportMs, double newHopMs) {
        return new SimConfig(workers, gateways, machine, policy, weights, traffic, slots, kvPositions, newReportMs, newHopMs, warmUpS,
                measuredS, seed, fault);
    }

    /** The same for another time, from another seed. */
    public SimConfig withTime(double newWarmUpS, double newMeasuredS, long newSeed) {
        return new SimConfig(workers, gateways, machine, policy, weights, traffic, slots, kvPositions, reportMs, hopMs, newWarmUpS,
                newMeasuredS, newSeed, fault);
    }

    /** The same with a fault, or without. */
    public SimConfig withFault(@Nullable Fault newFault) {
        return new SimConfig(workers, gateways, machine, policy, weights, traffic, slots, kvPositions, reportMs, hopMs, warmUpS, measuredS,
                seed, newFault);
    }

    long warmUpNs() {
        return ns(warmUpS);
    }

    long endNs() {
        return ns(warmUpS + measuredS);
    }

    static long ns(double seconds) {
        return Math.round(seconds * 1e9);
    }
}
