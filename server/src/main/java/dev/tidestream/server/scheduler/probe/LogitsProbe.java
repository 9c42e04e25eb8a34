package dev.tidestream.server.scheduler.probe;

import java.util.List;

/**
 * Sees the logits that tokens are sampled from. Called by the decode thread, which waits: what it does must be bounded. It changes nothing,
 * and must not throw.
 */
public interface LogitsProbe {
    /** Sees nothing. */
    LogitsProbe NONE = new LogitsProbe() {
        @Override
        public boolean watches() {
            return false;
        }

        @Override
        public void sampled(List<SampledRow> rows) {}
    };

    /** Whether {@link #sampled} is to be called; asked for each pass. */
    boolean watches();

    /** Tokens of a pass are sampled, and not given out yet. */
    void sampled(List<SampledRow> rows);
}
