package dev.tidestream.server.cli.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import dev.tidestream.console.Printable;
import dev.tidestream.server.bench.cluster.Fault;
import dev.tidestream.server.bench.cluster.Machine;
import dev.tidestream.server.bench.cluster.Policy;
import dev.tidestream.server.bench.cluster.SimConfig;
import dev.tidestream.server.bench.cluster.Traffic;
import dev.tidestream.server.cli.terminal.Check;
import dev.tidestream.server.cluster.route.RouteWeights;

/** The options of {@code bench cluster-sim}. */
@Command(
        name = "cluster-sim",
        description = {
            "Simulate a cluster: the router of the gateway and the scheduler of each worker, over a model that computes nothing and",
            "takes as long as was measured. A virtual clock: the same options give the same figures, on any machine."},
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  tidestream bench cluster-sim --workers 3,10,30 --rates 0.5,1,1.5",
            "  tidestream bench cluster-sim --workers 30 --rates 0.8 --fail-rack 40 --json",
            "  tidestream bench cluster-sim --workers 10 --policy round-robin",
            "",
            "HIT: share of the tokens of prompts that a worker had already; MOST: if every worker had all that any has computed.",
            "TTFT and GAP (between two tokens of a stream) in milliseconds; BUSY: share of the time that workers compute, mean",
            "and most. With --json one object per line."})
abstract class ClusterSimOptions {
    private static final int MOST_WORKERS = 2000;
    private static final int SHOWN_CHARS = 60;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    private List<Integer> workers = List.of();
    private List<Double> rates = List.of();
    private List<Double> costs = List.of();
    private Machine machine = Machine.AVX512;
    private Policy policy = Policy.BLENDED;

    @Option(names = "--workers", paramLabel = "N", split = ",", defaultValue = "3,10,30",
            description = "Workers (default: ${DEFAULT-VALUE}).")
    void setWorkers(List<Integer> values) {
        values.forEach(value -> Check.range(spec, "--workers", value, 1, MOST_WORKERS));
        workers = List.copyOf(values);
    }

    @Option(names = "--rates", paramLabel = "R", split = ",", defaultValue = "1",
            description = "Requests per second and worker (default: ${DEFAULT-VALUE}).")
    void setRates(List<Double> values) {
        rates = List.copyOf(values);
    }

    @Option(names = "--gateways", paramLabel = "N", defaultValue = "1",
            description = "Gateways, each with a router of its own (default: ${DEFAULT-VALUE}).")
    private int gateways;

    @Option(names = "--machine", paramLabel = "NAME", defaultValue = "avx512",
            description = "Whose measured step times: avx512 (Zen 5), avx2 (Zen 3) (default: ${DEFAULT-VALUE}).")
    void setMachine(String name) {
        machine = choice("--machine", Machine.values(), name);
    }

    @Option(names = "--policy", paramLabel = "NAME", defaultValue = "blended",
            description = "How nodes are chosen: blended (as the gateway does), least-load, prefix-only, power-of-two, round-robin "
                    + "(default: ${DEFAULT-VALUE}).")
    void setPolicy(String name) {
        policy = choice("--policy", Policy.values(), name);
    }

    private <E extends Enum<E>> E choice(String option, E[] values, String name) {
        for (E value : values) {
            if (name(value).equals(name)) {
                return value;
            }
        }
        throw new ParameterException(spec.commandLine(), "%s must be one of %s: %s".formatted(
                option, Arrays.stream(values).map(ClusterSimOptions::name).toList(), Printable.quoted(name, SHOWN_CHARS)));
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Option(names = "--costs", paramLabel = "A,B,C,D", split = ",",
            description = "What the router counts for a block of 64 tokens that is not cached, a stream that runs, one that waits, and "
                    + "all KV memory in use (default: the gateway's).")
    void setCosts(List<Double> values) {
        costs = List.copyOf(values);
    }

    @Option(names = "--balance", paramLabel = "X",
            description = "How many times its share of the streams a node may have (default: the gateway's).")
    private double balance = RouteWeights.DEFAULT.balance();

    @Option(names = "--slots", paramLabel = "N", defaultValue = "16",
            description = "Streams that a worker runs at once (default: ${DEFAULT-VALUE}).")
    private int slots;

    @Option(names = "--kv-positions", paramLabel = "N", defaultValue = "65536",
            description = "Positions that a worker has KV memory for (default: ${DEFAULT-VALUE}).")
    private int kvPositions;

    @Option(names = "--report-interval", paramLabel = "MS", defaultValue = "500",
            description = "Between two reports of a worker to the gateways (default: ${DEFAULT-VALUE}).")
    private double reportMs;

    @Option(names = "--hop", paramLabel = "MS", defaultValue = "0.2",
            description = "A message between gateway and worker (default: ${DEFAULT-VALUE}).")
    private double hopMs;

    @Option(names = "--families", paramLabel = "N", defaultValue = "50",
            description = "System prompts, the n-th asked for 1/n as often as the first (default: ${DEFAULT-VALUE}).")
    private int families;

    @Option(names = "--shared-tokens", paramLabel = "N", defaultValue = "512",
            description = "Tokens of a system prompt (default: ${DEFAULT-VALUE}).")
    private int sharedTokens;

    @Option(names = "--turns", paramLabel = "N", defaultValue = "6",
            description = "Most turns of a conversation (default: ${DEFAULT-VALUE}).")
    private int turns;

    @Option(names = "--turn-tokens", paramLabel = "N", defaultValue = "256",
            description = "Most tokens that a turn adds (default: ${DEFAULT-VALUE}).")
    private int turnTokens;

    @Option(names = "--output-tokens", paramLabel = "N", defaultValue = "256",
            description = "Most tokens of an answer (default: ${DEFAULT-VALUE}).")
    private int outputTokens;

    @Option(names = "--think", paramLabel = "S", defaultValue = "10",
            description = "Seconds between an answer and the next turn, on average (default: ${DEFAULT-VALUE}).")
    private double thinkS;

    @Option(names = "--warmup", paramLabel = "S", defaultValue = "30", description = "Seconds before (default: ${DEFAULT-VALUE}).")
    private double warmUpS;

    @Option(names = "--duration", paramLabel = "S", defaultValue = "120",
            description = "Seconds that are measured (default: ${DEFAULT-VALUE}).")
    private double durationS;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of all that is random (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--fail-rack", paramLabel = "S",
            description = "A third of the workers goes dark so many seconds after the measured time has begun.")
    private double failAtS = Double.NaN;

    @Option(names = "--detect", paramLabel = "S", defaultValue = "5",
            description = "Until the gateways miss it (default: ${DEFAULT-VALUE}).")
    private double detectS;

    @Option(names = "--back", paramLabel = "S", defaultValue = "30",
            description = "Until it begins anew, with nothing computed (default: ${DEFAULT-VALUE}).")
    private double backS;

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object per line.")
    boolean json;

    List<Integer> workers() {
        return workers;
    }

    List<Double> rates() {
        return rates;
    }

    String policyName() {
        return name(policy);
    }

    int gateways() {
        return gateways;
    }

    /** What is simulated with so many workers at such a rate; a value out of its range is wrong usage. */
    SimConfig config(int workerCount, double rate) {
        if (!costs.isEmpty() && costs.size() != 4) {
            throw new ParameterException(spec.commandLine(), "--costs has four numbers: " + costs);
        }
        try {
            RouteWeights weights = RouteWeights.DEFAULT.withBalance(balance, RouteWeights.DEFAULT.slack());
            if (!costs.isEmpty()) {
                weights = weights.withCosts(costs.get(0), costs.get(1), costs.get(2), costs.get(3));
            }
            return SimConfig.DEFAULT.withNodes(workerCount, gateways)
                    .withWorkers(machine, slots, kvPositions)
                    .withPolicy(policy, weights)
                    .withTraffic(new Traffic(rate, families, sharedTokens, turns, turnTokens, outputTokens, thinkS))
                    .withDelays(reportMs, hopMs)
                    .withTime(warmUpS, durationS, seed)
                    .withFault(Double.isNaN(failAtS) ? null : new Fault(failAtS, detectS, backS));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
