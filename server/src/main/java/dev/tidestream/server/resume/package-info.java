/**
 * Streams that outlive their connection: kept for a while after it is gone, gone on with on another one, without a token lost or
 * repeated. Knows the engine, not Vert.x.
 */
@NullMarked
package dev.tidestream.server.resume;

import org.jspecify.annotations.NullMarked;
