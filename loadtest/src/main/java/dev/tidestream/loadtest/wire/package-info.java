/**
 * Connections to what is measured: tidestream.v1 and tidestream.admin.v1 over WebSocket, OpenAI's completions over SSE.
 * Everything runs on the one I/O thread.
 */
@NullMarked
package dev.tidestream.loadtest.wire;

import org.jspecify.annotations.NullMarked;
