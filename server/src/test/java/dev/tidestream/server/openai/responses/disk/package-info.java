/** Responses on disk: what survives, what goes, and what a failing disk does to them. */
@NullMarked
package dev.tidestream.server.openai.responses.disk;

import org.jspecify.annotations.NullMarked;
