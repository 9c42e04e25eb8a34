package dev.tidestream.server.openai.responses.disk;

/**
 * Bounds of responses on disk; beyond them the oldest are deleted.
 *
 * @param maxResponses most files
 * @param maxBytes of all files together
 */
public record DiskLimits(int maxResponses, long maxBytes) {
    /** 10,000 responses, 1 GiB. */
    public static final DiskLimits DEFAULT = new DiskLimits(10_000, 1L << 30);

    public DiskLimits {
        if (maxResponses < 1 || maxBytes < 1) {
            throw new IllegalArgumentException("must be at least 1: maxResponses=%d, maxBytes=%d".formatted(maxResponses, maxBytes));
        }
    }
}
