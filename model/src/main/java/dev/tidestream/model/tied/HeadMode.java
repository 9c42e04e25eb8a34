package dev.tidestream.model.tied;

import java.util.Locale;

/** How the logits of a tied embedding are computed. */
public enum HeadMode {
    TRANSPOSE_PER_STEP,
    CACHED_TRANSPOSE,
    PACKED;

    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
