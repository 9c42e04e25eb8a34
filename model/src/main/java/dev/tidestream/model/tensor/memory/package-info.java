/**
 * Memory for matrices outside the heap: arenas of pages that go back to the system, and one slab for all matrices of a model.
 *
 * <p>Any thread. Imports {@code tensor} alone.
 */
@NullMarked
package dev.tidestream.model.tensor.memory;

import org.jspecify.annotations.NullMarked;
