/**
 * The admin channel on the wire: sealed requests and replies, codec, error codes. JDK and Jackson; any thread.
 */
@NullMarked
package dev.tidestream.protocol.admin;

import org.jspecify.annotations.NullMarked;
