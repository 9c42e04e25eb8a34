/**
 * GGUF files: read memory-mapped, every number checked against the file before it is used; and written. Imports nothing of ours.
 */
@NullMarked
package dev.tidestream.model.gguf;

import org.jspecify.annotations.NullMarked;
