/** Tests of how OpenAI's wires are read. */
@NullMarked
package dev.tidestream.loadtest.wire.openai;

import org.jspecify.annotations.NullMarked;
