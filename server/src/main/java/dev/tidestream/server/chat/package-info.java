/**
 * From messages to the text of a prompt: {@link dev.tidestream.server.chat.ChatTemplate}. Where templates come from
 * ({@link dev.tidestream.server.chat.ChatTemplates}), what a conversation is, what a template can read. The engine behind is in
 * {@code chat.jinja}. Any thread; knows no transport, no tokenizer and no scheduler.
 */
@NullMarked
package dev.tidestream.server.chat;

import org.jspecify.annotations.NullMarked;
