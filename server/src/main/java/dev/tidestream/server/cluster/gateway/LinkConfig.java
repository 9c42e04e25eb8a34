package dev.tidestream.server.cluster.gateway;

import java.time.Duration;

/**
 * How a gateway holds on to a worker.
 *
 * @param node name of the worker's node
 * @param url where it listens: {@code http://HOST:PORT}, or {@code https}
 * @param model what decides the bits of its tokens, weight updates apart; a worker with another one is left alone
 * @param secret of the cluster
 * @param silence after which a worker that says nothing, pongs included, counts as lost
 * @param maxMessageBytes largest message of the worker that is read
 */
public record LinkConfig(String node, String url, String model, String secret, Duration silence, int maxMessageBytes) {
    /** The secret stays out of logs. */
    @Override
    public String toString() {
        return "LinkConfig[node=%s, url=%s]".formatted(node, url);
    }
}
