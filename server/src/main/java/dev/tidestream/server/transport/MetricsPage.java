package dev.tidestream.server.transport;

import java.util.function.Supplier;

/**
 * What {@code GET /metrics} shows.
 *
 * @param contentType of the text
 * @param text made anew for every request, on the event loop, so it must not block
 */
public record MetricsPage(String contentType, Supplier<String> text) {}
