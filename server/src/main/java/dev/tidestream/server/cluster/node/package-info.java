/**
 * A node put together: registry, fleet of workers, the gateway's engine, the worker's wire, and what administrators see of all of it. What
 * it computes with is handed in.
 */
@NullMarked
package dev.tidestream.server.cluster.node;

import org.jspecify.annotations.NullMarked;
