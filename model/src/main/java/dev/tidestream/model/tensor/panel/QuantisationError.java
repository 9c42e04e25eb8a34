package dev.tidestream.model.tensor.panel;

/**
 * What a matrix lost when it was brought into another format: stored minus wanted, over all elements. Does not depend on how the
 * work was
 * split.
 *
 * @param maxAbs largest magnitude
 * @param rms root of the mean square
 */
public record QuantisationError(double maxAbs, double rms) {}
