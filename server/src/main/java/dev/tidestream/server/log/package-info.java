/**
 * What the log writes of a message and of an exception: made printable, so that neither a model file nor a client can forge a line or
 * reach through to a terminal. {@code logback.xml} names these; a file of one's own should, too.
 */
@NullMarked
package dev.tidestream.server.log;

import org.jspecify.annotations.NullMarked;
