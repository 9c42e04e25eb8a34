/**
 * An {@link dev.tidestream.server.engine.Engine} that computes nothing: it chooses a worker for each stream, relays its events with the
 * credit of whoever subscribes, and has it go on elsewhere when the worker is lost. Every wire of clients works over it unchanged.
 *
 * <p>{@code RemoteEngine} and {@code RelayedStream} are what a gateway does, whatever workers are; {@code WorkerLink} is a worker on
 * another node, over one WebSocket; {@code Fleet} knows which workers there are.
 */
@NullMarked
package dev.tidestream.server.cluster.gateway;

import org.jspecify.annotations.NullMarked;
