/** Tests. */
@NullMarked
package dev.tidestream.server.engine;

import org.jspecify.annotations.NullMarked;
