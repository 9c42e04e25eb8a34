/**
 * A node and the log of weight versions: what is built here is agreed on there, and what is agreed on there is built here, by the service
 * of administrators, with the same bits or not at all.
 */
@NullMarked
package dev.tidestream.server.cluster.follow;

import org.jspecify.annotations.NullMarked;
