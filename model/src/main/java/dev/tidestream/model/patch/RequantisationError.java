package dev.tidestream.model.patch;

/**
 * What the tensor's format lost: stored minus wanted, over the elements a patch touched (the listed rows of ROWS, rows with listed elements of SPARSE, otherwise
 * all). Wanted is the float32 that was asked for: the replacement, or base plus delta rounded once. The numbers do not depend
 * on how the work was split.
 *
 * @param maxAbs largest magnitude
 * @param rms root of the mean square
 * @param elements touched
 */
public record RequantisationError(double maxAbs, double rms, long elements) {}
