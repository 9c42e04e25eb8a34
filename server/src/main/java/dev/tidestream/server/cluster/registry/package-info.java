/**
 * Which nodes there are, and what each says of itself: a map that nodes write their own entry of, again and again, and that forgets those
 * who do not. A hint, not a truth: what counts for a stream is whether its worker answers. The one room that knows the cluster manager,
 * whose classes are loaded only by a node that has peers. No token and no weight goes over it.
 */
@NullMarked
package dev.tidestream.server.cluster.registry;

import org.jspecify.annotations.NullMarked;
