/**
 * {@code /v1/responses}: answers that can be asked for again, and gone on from.
 *
 * <p>A {@code LiveResponse} is one answer, growing and then whole; its events are a function of it ({@code ResponseEvents}), so that the
 * client who asked ({@code ResponseAnswer}) and one who comes later ({@code EventReplay}) read the same. {@code ResponseStore} keeps those
 * that have ended, within bounds. Event loop, but for the store.
 */
@NullMarked
package dev.tidestream.server.openai.responses;

import org.jspecify.annotations.NullMarked;
