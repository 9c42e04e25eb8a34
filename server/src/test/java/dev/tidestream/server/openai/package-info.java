/** Tests of what is made of requests of OpenAI's clients. */
@NullMarked
package dev.tidestream.server.openai;

import org.jspecify.annotations.NullMarked;
