/**
 * {@code POST /v1/verify}: a stream computed again from its receipt and its prompt, and compared. One of the engine's clients, like the
 * endpoints of {@code openai}, whose ways of reading prompts it shares. Event loop, but for reading and hashing, which workers do.
 */
@NullMarked
package dev.tidestream.server.receipts.verify;

import org.jspecify.annotations.NullMarked;
