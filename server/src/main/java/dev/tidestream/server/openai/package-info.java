/**
 * The endpoints that OpenAI's clients know, over the same engine as {@code tidestream.v1}.
 *
 * <p>{@code OpenAiEndpoints} lists them. A request for tokens becomes a {@code Plan}; {@code HttpGeneration} is the live connection of it,
 * with one {@code ClientStream} per choice; an {@code Answer} makes frames of their events: {@code StreamedAnswer} and {@code WholeAnswer} in the words of
 * an {@code AnswerFormat}. Event loop, but for reading requests, which a worker does if they are long.
 */
@NullMarked
package dev.tidestream.server.openai;

import org.jspecify.annotations.NullMarked;
