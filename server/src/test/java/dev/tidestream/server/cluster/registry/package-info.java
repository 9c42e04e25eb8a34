/**
 * Tests of the package of the same name.
 */
@NullMarked
package dev.tidestream.server.cluster.registry;

import org.jspecify.annotations.NullMarked;
