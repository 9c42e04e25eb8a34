package dev.tidestream.server.canary;

import java.time.Instant;

import org.jspecify.annotations.Nullable;

/**
 * A shadow at a moment.
 *
 * @param ended null while it runs
 * @param fault why it has ended by itself; empty if it has not
 */
public record ShadowReport(ShadowSpec spec, Instant started, @Nullable Instant ended, String fault, ShadowFigures figures) {

    /** Whether logits are still compared. */
    public boolean runs() {
        return ended == null;
    }
}
