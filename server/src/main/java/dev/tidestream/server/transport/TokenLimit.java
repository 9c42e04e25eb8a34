package dev.tidestream.server.transport;

/**
 * How fast one address may try admin tokens.
 *
 * @param perSecond wrong tokens of one address, in the long run; above 0
 * @param burst wrong tokens of one address at once, at least 1
 * @param maxAddresses addresses that are remembered; the one that was heard of longest ago makes room for the next
 */
public record TokenLimit(double perSecond, int burst, int maxAddresses) {

    /** One a second after ten at once, for each of 4096 addresses. */
    public static final TokenLimit DEFAULT = new TokenLimit(1, 10, 4096);

    public TokenLimit {
        if (!(perSecond > 0) || burst < 1 || maxAddresses < 1) {
            throw new IllegalArgumentException("rate must be above 0, burst and addresses at least 1: per_s=%s, burst=%s, max_addresses=%s"
                    .formatted(perSecond, burst, maxAddresses));
        }
    }
}
