package dev.tidestream.model.transformer;

/** What quantised matrices of the body are multiplied with; the head always takes float32. */
public enum ActivationPrecision {
    /** int8 codes with a scale per block of 32, as llama.cpp does: fast, default. */
    INT8,
    /** float32: exact, slower prompts. */
    F32
}
