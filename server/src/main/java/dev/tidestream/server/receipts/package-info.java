/**
 * Receipts: what a stream was a function of, with hashes of what it took and gave, signed by the server. Knows the engine's evidence;
 * neither Vert.x nor the model nor any wire. Any thread.
 */
@NullMarked
package dev.tidestream.server.receipts;

import org.jspecify.annotations.NullMarked;
