package dev.tidestream.loadtest.wire;

import java.util.OptionalInt;

import dev.tidestream.loadtest.plan.Prompt;

/**
 * One stream to start.
 *
 * @param follow whether it follows new weights; otherwise it pins
 * @param credit token frames granted at the start; absent: unlimited
 * @param sampling how tokens are chosen
 * @param resumable whether it shall outlive its connection, so that {@link Link#resume} can go on with it
 */
public record StreamRequest(String id, Prompt prompt, boolean follow, OptionalInt credit, Sampling sampling, boolean resumable) {
    /**
     * @param seed of this stream
     * @param suppressed token that shall not be generated, such as the one that ends a text; -1 for none
     */
    public record Sampling(float temperature, long seed, int suppressed) {}
}
