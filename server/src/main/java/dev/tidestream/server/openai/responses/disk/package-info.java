/**
 * Responses on disk, a file each, so that they survive a restart. {@code DiskResponses} knows which there are, and writes and reads them on
 * one thread of its own; {@code ResponseFormat} is what is in a file.
 */
@NullMarked
package dev.tidestream.server.openai.responses.disk;

import org.jspecify.annotations.NullMarked;
