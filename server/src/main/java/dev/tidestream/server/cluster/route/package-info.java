/**
 * Which node a stream goes to: by the prefix of its prompt, by load, and by the versions and adapters that a node has. Data in, a node
 * out; no clock, no sockets, nothing of the other rooms.
 */
@NullMarked
package dev.tidestream.server.cluster.route;

import org.jspecify.annotations.NullMarked;
