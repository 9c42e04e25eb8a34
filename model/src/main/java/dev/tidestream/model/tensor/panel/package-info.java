/**
 * Elements into panels and back: packing what a file holds, unpacking, editing rows of a panel, quantising for updates.
 *
 * <p>Any thread, one object per thread; packing uses the caller's team. Imports {@code tensor} and {@code format}.
 */
@NullMarked
package dev.tidestream.model.tensor.panel;

import org.jspecify.annotations.NullMarked;
