/**
 * Tests of the package of the same name.
 */
@NullMarked
package dev.tidestream.server.cluster.wire;

import org.jspecify.annotations.NullMarked;
