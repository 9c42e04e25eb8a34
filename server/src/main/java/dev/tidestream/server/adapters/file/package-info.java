/**
 * Adapters as files have them, PEFT's folders and GGUF files, checked against the model that they are for. Every key of a file has a
 * use, or the adapter is refused.
 */
@NullMarked
package dev.tidestream.server.adapters.file;

import org.jspecify.annotations.NullMarked;
