/**
 * From logits to one token id, deterministically. Pure functions and per-sequence state; no threads.
 */
@NullMarked
package dev.tidestream.model.sampling;

import org.jspecify.annotations.NullMarked;
