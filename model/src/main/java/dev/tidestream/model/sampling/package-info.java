/**
 * From logits to one token id, deterministically; and where a stream's text ends. Per-sequence state, used by one thread at a
 * time; of ours it imports {@code tensor} only; its kernels are handed in.
 */
@NullMarked
package dev.tidestream.model.sampling;

import org.jspecify.annotations.NullMarked;
