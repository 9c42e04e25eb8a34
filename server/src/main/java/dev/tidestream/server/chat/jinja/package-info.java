/**
 * Chat templates in Jinja, read and rendered within bounds: {@link dev.tidestream.server.chat.jinja.Template}. Parts: {@code base} (places,
 * errors, limits), {@code value} (Python's values), {@code syntax} (text to tree), {@code run} (tree to text). No reflection, no files,
 * no clock of its own, no threads. ADR 27 says why it is our own and what the language is.
 */
@NullMarked
package dev.tidestream.server.chat.jinja;

import org.jspecify.annotations.NullMarked;
