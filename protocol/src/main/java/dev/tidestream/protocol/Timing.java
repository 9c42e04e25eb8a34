package dev.tidestream.protocol;

/**
 * Where the time of one stream went, in milliseconds on the server's monotonic clock.
 *
 * @param queueMs from arrival to admission into the first batch
 * @param firstTokenMs from arrival to the first token; 0 if there was none
 * @param totalMs from arrival to the end
 * @param tokensPerS generated tokens after the first, per second after the first; 0 for fewer than two tokens
 */
public record Timing(double queueMs, double firstTokenMs, double totalMs, double tokensPerS) {}
