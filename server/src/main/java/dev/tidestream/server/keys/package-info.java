/**
 * API keys: who a client is, and how much it may ask for.
 *
 * <p>{@code KeyFile} reads and writes the file with names, hashes and limits; {@code KeyRing} is what was read, {@code ApiKeys} the keys
 * in force, {@code KeyFileWatch} replaces them when the file has changed. {@code KeyAccount} is what one key may use and has used,
 * {@code StreamLease} the part of one stream. {@code Owner} is the name that travels on with a request. Nothing here has the text of a key
 * for longer than it takes to hash it, and no message, log line or {@code toString} has a key or a hash.
 */
@NullMarked
package dev.tidestream.server.keys;

import org.jspecify.annotations.NullMarked;
