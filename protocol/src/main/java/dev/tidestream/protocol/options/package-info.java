/**
 * What a client may ask of a stream beside its tokens, as data.
 */
@NullMarked
package dev.tidestream.protocol.options;

import org.jspecify.annotations.NullMarked;
