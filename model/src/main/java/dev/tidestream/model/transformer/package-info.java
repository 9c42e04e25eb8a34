/**
 * The LLaMA-family forward pass: blueprint, weights and state, never mixed.
 */
@NullMarked
package dev.tidestream.model.transformer;

import org.jspecify.annotations.NullMarked;
