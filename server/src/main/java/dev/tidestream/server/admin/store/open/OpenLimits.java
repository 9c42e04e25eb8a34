package dev.tidestream.server.admin.store.open;

import java.time.Duration;

/**
 * How much of transactions that are not committed is kept; more is refused.
 *
 * @param maxOpen transactions
 * @param maxParts of one transaction
 * @param maxPartBytes of one part
 * @param maxBytes of all parts of all transactions, those being received included
 * @param maxAge of a transaction, since it was opened or a part has come; then it is given up
 */
public record OpenLimits(int maxOpen, int maxParts, long maxPartBytes, long maxBytes, Duration maxAge) {

    /** 4 transactions of 1,000 parts of 4 GiB, 16 GiB in all, for a day. */
    public static final OpenLimits DEFAULT = new OpenLimits(4, 1_000, 4L << 30, 16L << 30, Duration.ofDays(1));

    public OpenLimits {
        if (maxOpen < 1 || maxParts < 1 || maxPartBytes < 1 || maxBytes < 1 || !maxAge.isPositive()) {
            throw new IllegalArgumentException("limits must be positive: maxOpen=%d, maxParts=%d, maxPartBytes=%d, maxBytes=%d, maxAge=%s"
                    .formatted(maxOpen, maxParts, maxPartBytes, maxBytes, maxAge));
        }
    }
}
