/**
 * Weights over HTTP, for administrators: updates of many tensors in parts, versions. Requests come in on an event loop, the desks are called
 * on threads of this room's own.
 */
@NullMarked
package dev.tidestream.server.weights;

import org.jspecify.annotations.NullMarked;
