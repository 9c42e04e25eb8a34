/**
 * More than one machine: what nodes are, and how one is told to be one. The parts are packages: {@code wire} between gateway and worker,
 * {@code worker}, {@code gateway}, {@code registry} of nodes, {@code route} of streams, {@code log} of weight versions.
 */
@NullMarked
package dev.tidestream.server.cluster;

import org.jspecify.annotations.NullMarked;
