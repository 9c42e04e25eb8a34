package dev.tidestream.server.bench.wire;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeoutException;

import com.sun.management.OperatingSystemMXBean;

import dev.tidestream.server.bench.cluster.Machine;

/**
 * What a gateway adds and what workers behind it give, over a model that takes as long as was measured and computes nothing: one worker
 * asked directly, the same through a gateway, and several. All of it, the client too, is one process on one machine.
 *
 * @param workers how many the last is of
 * @param direct one worker, without a gateway
 * @param one the same behind a gateway
 * @param several as many workers, each with as many streams
 * @param computedUs processor time that a token costs on the machine whose step times these are, in batches as large, with two threads
 */
public record GatewayRates(int workers, Round direct, Round one, Round several, double computedUs) {
    private static final double NS_PER_MS = 1e6;
    private static final double NS_PER_US = 1e3;
    private static final int THREADS = 2; // that steps were measured with
    private static final int WARM_UP_TOKENS = 20;

    /**
     * Streams that came to their ends.
     *
     * @param tokensPerS of all of them
     * @param gapP50Ms between two tokens of a stream
     * @param cpuUs processor time of the whole process for each token
     */
    public record Round(double tokensPerS, double gapP50Ms, double gapP99Ms, double cpuUs) {}

    /** How many times the tokens per second of one worker all have. */
    public double scaling() {
        return several.tokensPerS / one.tokensPerS;
    }

    /** What a gateway adds to the median between two tokens. */
    public double addedGapMs() {
        return one.gapP50Ms - direct.gapP50Ms;
    }

    /** Processor time that a gateway takes for each token, its part of the client's excepted. */
    public double addedCpuUs() {
        return one.cpuUs - direct.cpuUs;
    }

    /**
     * Measures.
     *
     * @param workers at least 1
     * @param slots of each, and streams for each
     * @param tokens of a stream
     * @throws TimeoutException if a server does not start or stop within a minute
     * @throws IllegalStateException if a stream does not come to its end
     */
    public static GatewayRates measure(Machine machine, int workers, int slots, int tokens) throws TimeoutException {
        int streams = workers * slots;
        Map<String, NullServer> all = new LinkedHashMap<>();
        try (FrameClient client = new FrameClient()) {
            for (int i = 0; i < workers; i++) {
                String name = "worker-" + i;
                all.put(name, new NullServer(slots, streams, tokens, NullModel.Pace.of(machine), NullGateway.hello(name)));
            }
            Map.Entry<String, NullServer> first = all.entrySet().iterator().next();
            Round direct = round(client, first.getValue().port(), slots, tokens);
            Round one;
            try (NullGateway gateway = new NullGateway(Map.of(first.getKey(), first.getValue()), slots, slots)) {
                one = round(client, gateway.port(), slots, tokens);
            }
            Round several;
            try (NullGateway gateway = new NullGateway(all, slots, streams)) {
                several = round(client, gateway.port(), streams, tokens);
            }
            return new GatewayRates(workers, direct, one, several, machine.stepNs(slots, 0) / NS_PER_US / slots * THREADS);
        } finally {
            for (NullServer worker : all.values()) {
                worker.close();
            }
        }
    }

    /** A short one that does not count, then the one that does. */
    private static Round round(FrameClient client, int port, int streams, int tokens) throws TimeoutException {
        client.run(port, streams, request(Math.min(tokens, WARM_UP_TOKENS)));
        long beforeNs = cpuNs();
        FrameClient.Count count = client.run(port, streams, request(tokens));
        long cpuNs = cpuNs() - beforeNs;
        if (count.tokens() != (long) streams * tokens) {
            throw new IllegalStateException("tokens=%d, expected=%d".formatted(count.tokens(), (long) streams * tokens));
        }
        return new Round(count.tokensPerSecond(), count.gaps().getValueAtPercentile(50) / NS_PER_MS,
                count.gaps().getValueAtPercentile(99) / NS_PER_MS, cpuNs / NS_PER_US / count.tokens());
    }

    private static String request(int tokens) {
        return "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"Once\",\"max_tokens\":%d,\"sampling\":{\"temperature\":0}}"
                .formatted(tokens);
    }

    private static long cpuNs() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
