package dev.tidestream.protocol.admin;

import java.util.Locale;

/** How the head computes its logits; the wire form has dashes. */
public enum OptimizationMode {
    /** The matrix is transposed in every step: the baseline. */
    TRANSPOSE_PER_STEP,
    /** A float32 transpose is kept beside the packed matrix. */
    CACHED_TRANSPOSE,
    /** The panel layout, which is embedding and transpose in one. */
    PACKED;

    /** The name as it stands in a frame, e.g. {@code cached-transpose}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
