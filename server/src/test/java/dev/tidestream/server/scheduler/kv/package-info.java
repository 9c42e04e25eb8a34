/** Tests. */
@NullMarked
package dev.tidestream.server.scheduler.kv;

import org.jspecify.annotations.NullMarked;
