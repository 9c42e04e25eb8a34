package dev.tidestream.server.scheduler.status;

/**
 * A stream as the scheduler has it between two steps.
 *
 * @param stream the server's number of it
 * @param demand events that its client can take now
 * @param promptTokens BOS included
 * @param generated tokens so far
 * @param positions that it may need in all: prompt and the most tokens it may make
 * @param weightsVersion of its next token, if no other is published before
 * @param adapter name of the one it is computed with; empty for the base alone
 * @param ageNs since it was asked for
 */
public record StreamStatus(
        long stream, Place place, long demand, int promptTokens, int generated, int positions, long weightsVersion, String adapter,
        long ageNs) {

    /** Where a stream is. */
    public enum Place {
        /** It has a slot. */
        RUNNING,
        /** It has demand, or was never announced, and waits for a slot. */
        QUEUED,
        /** It has neither demand nor a slot. */
        PARKED
    }
}
