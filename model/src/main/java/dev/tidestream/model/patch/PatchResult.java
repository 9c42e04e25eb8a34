package dev.tidestream.model.patch;

import dev.tidestream.model.tensor.WeightTensor;

/**
 * A patched tensor.
 *
 * @param tensor of the base's shape and format
 * @param error of storing it
 * @param changedRows rows with at least one other bit than the base's; a vector is one row
 * @param changedBlocks storage units with other bits than the base's: blocks of 32 for Q8_0 and Q4_0, otherwise elements
 */
public record PatchResult(WeightTensor tensor, RequantisationError error, long changedRows, long changedBlocks) {}
