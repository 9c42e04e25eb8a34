/**
 * Tests of the package of the same name.
 */
@NullMarked
package dev.tidestream.server.cluster.node;

import org.jspecify.annotations.NullMarked;
