package dev.tidestream.server.resume;

import java.time.Duration;

/**
 * How long and how much is kept of streams that can be resumed.
 *
 * @param window how long a stream is kept after its connection has gone, or after its end
 * @param maxStreams most streams at once; beyond that the one that has been without a connection longest is given up
 * @param maxBytes of tokens that can be sent again, all streams together; each has an equal part. As much again of their prompts
 * @param maxJournalBytes of what is written of them, all streams together; those beyond it do not survive a restart
 */
public record ResumeLimits(Duration window, int maxStreams, long maxBytes, long maxJournalBytes) {

    /** A minute, for 1,024 streams, in 64 MiB of memory and 256 MiB of files. */
    public static final ResumeLimits DEFAULT = new ResumeLimits(Duration.ofMinutes(1), 1024, 64L << 20, 256L << 20);

    public ResumeLimits {
        if (window.isNegative() || maxStreams < 1 || maxBytes < maxStreams || maxJournalBytes < 0) {
            throw new IllegalArgumentException(
                    "limits of streams that can be resumed: window_ms=%d, max_streams=%d, max_bytes=%d, max_journal_bytes=%d"
                            .formatted(window.toMillis(), maxStreams, maxBytes, maxJournalBytes));
        }
    }

    /** Whether any stream is kept. */
    public boolean any() {
        return !window.isZero();
    }

    long bytesPerStream() {
        return maxBytes / maxStreams;
    }
}
