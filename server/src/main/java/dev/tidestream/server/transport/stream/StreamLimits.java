package dev.tidestream.server.transport.stream;

import java.time.Duration;

/**
 * What the streams of one live connection may hold, on whatever wire.
 *
 * @param maxStreams at once: running, waiting and parked
 * @param maxTokens largest {@code max_tokens}
 * @param writeQueueBytes unsent bytes at which the engine is asked for no more tokens
 * @param windowTokens most tokens asked of the engine in advance, per stream
 * @param silence after so long without a frame the client is sent a sign of life
 */
public record StreamLimits(int maxStreams, int maxTokens, int writeQueueBytes, int windowTokens, Duration silence) {}
