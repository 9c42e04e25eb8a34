package dev.tidestream.loadtest.figures;

/**
 * What one of several servers did.
 *
 * @param name its address
 * @param figures of the streams that began on it, with tokens where they came
 */
public record ServerFigures(String name, Figures figures) {}
