/**
 * {@code chat}: a conversation in a terminal, with a model of its own ({@link dev.tidestream.server.cli.chat.LocalBackend}) or a server
 * ({@link dev.tidestream.server.cli.chat.ServerBackend}). {@link dev.tidestream.server.cli.chat.ChatLoop} knows neither, nor JLine.
 * Nobody else knows JLine.
 */
@NullMarked
package dev.tidestream.server.cli.chat;

import org.jspecify.annotations.NullMarked;
