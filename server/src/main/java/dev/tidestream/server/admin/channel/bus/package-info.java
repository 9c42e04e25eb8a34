/**
 * What the admin channel's two ends say to each other over the Vert.x event bus: sockets on their event loops, the desk behind
 * its verticle. Records only, never leaves the process. Knows Vert.x and protocol, neither transport nor the rest of admin.
 */
@NullMarked
package dev.tidestream.server.admin.channel.bus;

import org.jspecify.annotations.NullMarked;
