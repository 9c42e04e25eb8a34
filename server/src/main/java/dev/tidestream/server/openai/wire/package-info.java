/**
 * OpenAI's JSON: requests read leniently (unknown fields are passed over, null is the default, what changes the meaning and is not
 * supported is refused by name), answers written straight to bytes. Knows nothing of connections. Any thread.
 */
@NullMarked
package dev.tidestream.server.openai.wire;

import org.jspecify.annotations.NullMarked;
