/**
 * From logits to one token id, deterministically; and where a stream's text ends. Per-sequence state, used by one thread; imports
 * nothing of ours.
 */
@NullMarked
package dev.tidestream.model.sampling;

import org.jspecify.annotations.NullMarked;
