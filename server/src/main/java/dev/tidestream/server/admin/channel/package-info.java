/**
 * The way in: {@code AdminVerticle} and its {@code AdminDispatcher} live on an event loop and call the {@code AdminDesk} on workers of
 * their own.
 */
@NullMarked
package dev.tidestream.server.admin.channel;

import org.jspecify.annotations.NullMarked;
