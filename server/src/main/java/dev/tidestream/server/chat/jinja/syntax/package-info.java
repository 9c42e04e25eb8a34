/**
 * From the text of a template to its tree: {@link dev.tidestream.server.chat.jinja.syntax.Lexer} and
 * {@link dev.tidestream.server.chat.jinja.syntax.Parser}. White space is cut as with {@code trim_blocks} and {@code lstrip_blocks}.
 */
@NullMarked
package dev.tidestream.server.chat.jinja.syntax;

import org.jspecify.annotations.NullMarked;
