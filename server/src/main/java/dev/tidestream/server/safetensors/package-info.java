/**
 * Files in the safetensors format, every number checked before it is used. Knows nothing of updates.
 */
@NullMarked
package dev.tidestream.server.safetensors;

import org.jspecify.annotations.NullMarked;
