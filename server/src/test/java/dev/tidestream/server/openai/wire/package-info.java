/** Tests of the JSON of OpenAI's clients. */
@NullMarked
package dev.tidestream.server.openai.wire;

import org.jspecify.annotations.NullMarked;
