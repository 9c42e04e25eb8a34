package dev.tidestream.server.scheduler.probe;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.adapter.Adapter;

/**
 * A row of logits, and what was sampled from it. Its arrays are the scheduler's, of use until the call that shows it returns.
 *
 * @param stream the server's number of it
 * @param weightsVersion that the logits were made with
 * @param tokens prompt and output, {@code count} of them; the last one's logits are these
 * @param adapter null for the base alone
 * @param logits {@code (V)} from {@code offset}
 * @param token that was sampled; {@link #NO_TOKEN} if that failed
 */
@SuppressWarnings("ArrayRecordComponent") // shown, and never compared
public record SampledRow(
        long stream, long weightsVersion, int[] tokens, int count, @Nullable Adapter adapter, float[] logits, int offset, int token) {
    /** In the place of a token: there is none. */
    public static final int NO_TOKEN = -1;
}
