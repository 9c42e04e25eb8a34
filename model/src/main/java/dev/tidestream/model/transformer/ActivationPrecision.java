package dev.tidestream.model.transformer;

import java.util.Locale;

/** What quantised matrices are multiplied with. */
public enum ActivationPrecision {
    /** int8 quants with a scale per block of 32, as llama.cpp does, or per row where matrices are ternary: fast. */
    INT8,
    /** float32: exact; slower, the more rows the more so. */
    F32;

    /** As operators write it, e.g. {@code int8}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
