package dev.tidestream.loadtest.figures;

/**
 * How often a promise was checked.
 *
 * @param checked times, the broken ones included; 0: nothing of the kind happened
 * @param broken times
 */
public record PromiseCount(Promise promise, long checked, long broken) {}
