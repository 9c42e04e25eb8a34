/**
 * {@code tidestream weights}: updates of many tensors, and versions, of a running server.
 */
@NullMarked
package dev.tidestream.server.cli.weights;

import org.jspecify.annotations.NullMarked;
