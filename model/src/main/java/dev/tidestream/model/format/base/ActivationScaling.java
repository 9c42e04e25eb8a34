package dev.tidestream.model.format.base;

/** What has a scale of its own when activations become int8. */
public enum ActivationScaling {
    /** Each block of 32 columns of a row. */
    BLOCK,
    /** Each row: what BitNet models are trained with (Ma et al. 2024, "The Era of 1-bit LLMs"). */
    ROW
}
