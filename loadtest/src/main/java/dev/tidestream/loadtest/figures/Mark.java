package dev.tidestream.loadtest.figures;

/**
 * Something that happened, for the timeline.
 *
 * @param atS seconds since the load began, warm-up included
 * @param forS how long it lasted; 0 for an instant
 * @param kind {@code admin} or {@code fault}
 */
public record Mark(double atS, double forS, String kind, String what) {}
