/**
 * Requests over HTTP that the administrators' desk answers, over the event bus as those of the admin channel. Event loop.
 */
@NullMarked
package dev.tidestream.server.transport.desk;

import org.jspecify.annotations.NullMarked;
