/**
 * From times to figures: histograms, series, CPU. Arithmetic only; times are passed in, nothing here reads a clock but CpuMeter.
 */
@NullMarked
package dev.tidestream.loadtest.figures;

import org.jspecify.annotations.NullMarked;
