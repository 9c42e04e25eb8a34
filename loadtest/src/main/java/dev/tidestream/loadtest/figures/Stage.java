package dev.tidestream.loadtest.figures;

/**
 * A part of a run whose load changes, with figures of its own: of the requests that were to start in it, and the tokens that came
 * in it.
 * Errors, versions, administrators and CPU are counted for the whole run only.
 *
 * @param load for people
 * @param level in its middle
 * @param fromS seconds since the load began, warm-up included
 */
public record Stage(String load, double level, double fromS, double toS, Figures figures) {}
