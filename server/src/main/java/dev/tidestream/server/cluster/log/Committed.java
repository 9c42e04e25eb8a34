package dev.tidestream.server.cluster.log;

/**
 * A manifest's place in the log.
 *
 * @param version of the weights
 * @param manifest as it was committed first: with the proposer and the time of then
 * @param repeated whether it was committed before
 */
public record Committed(long version, Manifest manifest, boolean repeated) {}
