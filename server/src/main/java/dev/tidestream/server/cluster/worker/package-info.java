/**
 * The worker's side of relayed streams: gateways connect, ask for streams of the local engine, and grant credit for their events. Vert.x's
 * event loop and the engine; knows nothing of how a gateway chooses.
 */
@NullMarked
package dev.tidestream.server.cluster.worker;

import org.jspecify.annotations.NullMarked;
