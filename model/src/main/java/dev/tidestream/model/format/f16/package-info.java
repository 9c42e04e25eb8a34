/** The format F16. */
@NullMarked
package dev.tidestream.model.format.f16;

import org.jspecify.annotations.NullMarked;
