package dev.tidestream.model.tied;

import java.util.Locale;

/** How the head computes its logits. All give the same logits to fp32 precision, and one mode always gives the same bits. */
public enum HeadMode {
    /** The matrix is transposed in every step: the baseline. */
    TRANSPOSE_PER_STEP,
    /** A float32 transpose is kept beside the packed matrix. */
    CACHED_TRANSPOSE,
    /** The panel layout, which is embedding and transpose in one. */
    PACKED;

    /** The name that people and frames use, e.g. {@code cached-transpose}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
