/**
 * GGUF files: read memory-mapped, every number checked against the file before it is used; and written. {@link ModelSource}, a model in GGUF's
 * words whatever its files are. Imports nothing of ours.
 */
@NullMarked
package dev.tidestream.model.gguf;

import org.jspecify.annotations.NullMarked;
