/**
 * What the way from the scheduler to the socket costs: the whole server over a model that computes nothing, beside a bare WebSocket server
 * that sends the same frames; and what a gateway before such servers adds.
 */
@NullMarked
package dev.tidestream.server.bench.wire;

import org.jspecify.annotations.NullMarked;
