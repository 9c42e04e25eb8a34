/** Tests of the wire format, and the frame generator that the server's tests use, too. */
@NullMarked
package dev.tidestream.protocol;

import org.jspecify.annotations.NullMarked;
