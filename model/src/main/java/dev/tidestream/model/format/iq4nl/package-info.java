/** The format IQ4_NL. */
@NullMarked
package dev.tidestream.model.format.iq4nl;

import org.jspecify.annotations.NullMarked;
