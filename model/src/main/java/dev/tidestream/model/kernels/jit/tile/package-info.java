/**
 * Products with any quantised format: the format unpacks 32 columns of a panel in Java, generated code multiplies them with all
 * rows of activations. What has a recipe of its own is several times as fast.
 */
@NullMarked
package dev.tidestream.model.kernels.jit.tile;

import org.jspecify.annotations.NullMarked;
