/**
 * The durable log of weight versions, payloads on their way to disk, files to take updates from. Worker threads only.
 */
@NullMarked
package dev.tidestream.server.admin.store;

import org.jspecify.annotations.NullMarked;
