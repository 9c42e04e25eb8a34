package dev.tidestream.loadtest.figures;

/**
 * One interval of a run.
 *
 * @param atS its end, in seconds since the load began, warm-up included
 * @param tokens received in it, per second
 * @param running streams at its end
 * @param level of load that was wanted at its end: streams, or requests per second
 * @param ttftMs slowest first token in it; 0 if there was none
 * @param itlMs longest gap between two tokens of a stream that ended in it; 0 if there was none
 * @param slowItlMs the same of streams whose client read slowly on purpose: the client's gaps, and not the server's
 */
public record Sample(double atS, double tokens, int running, double level, double ttftMs, double itlMs, double slowItlMs) {}
