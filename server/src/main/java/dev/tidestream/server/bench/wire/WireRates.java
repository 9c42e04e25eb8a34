package dev.tidestream.server.bench.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/**
 * Token frames per second of many streams: of the whole server over a model that computes nothing, and of a bare server that sends the
 * same frames. Client and servers share the process and the machine.
 *
 * @param server tokens per second of each round
 * @param bare the same of the bare server
 * @param frameBytes of a token's frame, its head included
 */
public record WireRates(List<Double> server, List<Double> bare, double frameBytes) {

    public WireRates {
        server = List.copyOf(server);
        bare = List.copyOf(bare);
    }

    /**
     * Measures: a round that does not count, then the two in turn.
     *
     * @param streams at once, each on a connection of its own
     * @param tokens of a stream
     * @param rounds of each
     * @throws TimeoutException if a server does not start or stop within a minute
     * @throws IllegalStateException if a stream does not come to its end
     */
    public static WireRates measure(int streams, int tokens, int rounds) throws TimeoutException {
        String request = "{\"type\":\"generate\",\"id\":\"a\",\"prompt\":\"Once\",\"max_tokens\":%d,\"sampling\":{\"temperature\":0}}"
                .formatted(tokens);
        List<Double> server = new ArrayList<>();
        List<Double> bare = new ArrayList<>();
        double frameBytes = 0;
        try (NullServer ours = new NullServer(streams, tokens);
                FrameClient client = new FrameClient();
                BareServer theirs = new BareServer(client.record(ours.port(), request))) {
            for (int round = 0; round <= rounds; round++) { // the first is to warm up
                FrameClient.Count a = expect(client.run(ours.port(), streams, request), streams, tokens);
                FrameClient.Count b = expect(client.run(theirs.port(), streams, request), streams, tokens);
                if (round > 0) {
                    server.add(a.tokensPerSecond());
                    bare.add(b.tokensPerSecond());
                    frameBytes = (double) a.bytes() / a.tokens();
                }
            }
        }
        return new WireRates(server, bare, frameBytes);
    }

    private static FrameClient.Count expect(FrameClient.Count count, int streams, int tokens) {
        if (count.tokens() != (long) streams * tokens) {
            throw new IllegalStateException("tokens=%d, expected=%d".formatted(count.tokens(), (long) streams * tokens));
        }
        return count;
    }
}
