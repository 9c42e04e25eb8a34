/**
 * OpenAI's wires, of any server: chat completions, completions and responses as server-sent events, and responses over
 * WebSocket lanes. Their events become frames of a stream; what they promise is looked at here. Everything runs on the one
 * I/O thread.
 */
@NullMarked
package dev.tidestream.loadtest.wire.openai;

import org.jspecify.annotations.NullMarked;
