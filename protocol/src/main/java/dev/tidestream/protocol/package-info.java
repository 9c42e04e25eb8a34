/**
 * What goes over the wire: sealed messages, codec, error codes. JDK and Jackson; any thread.
 */
@NullMarked
package dev.tidestream.protocol;

import org.jspecify.annotations.NullMarked;
