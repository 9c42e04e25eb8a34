/** The format F32. */
@NullMarked
package dev.tidestream.model.format.f32;

import org.jspecify.annotations.NullMarked;
