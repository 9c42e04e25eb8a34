package dev.tidestream.loadtest.figures;

import java.util.ArrayList;
import java.util.List;

import org.HdrHistogram.Histogram;

/**
 * One kind of latency, in milliseconds; all 0 if nothing was measured.
 *
 * @param curve the latencies at {@link #CURVE}
 */
public record Latency(
        long count, double mean, double p50, double p90, double p95, double p99, double p999, double max, List<Double> curve) {
    /** Percentiles of the curve in a report. */
    public static final List<Double> CURVE = List.of(
            0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 97.5, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0);

    private static final double NS_PER_MS = 1e6;

    public Latency {
        curve = List.copyOf(curve);
    }

    /** @param histogram of nanoseconds */
    static Latency of(Histogram histogram) {
        if (histogram.getTotalCount() == 0) {
            return new Latency(0, 0, 0, 0, 0, 0, 0, 0, List.of());
        }
        List<Double> curve = new ArrayList<>();
        for (double percentile : CURVE) {
            curve.add(ms(histogram, percentile));
        }
        return new Latency(histogram.getTotalCount(), histogram.getMean() / NS_PER_MS, ms(histogram, 50), ms(histogram, 90),
                ms(histogram, 95), ms(histogram, 99), ms(histogram, 99.9), histogram.getMaxValue() / NS_PER_MS, curve);
    }

    private static double ms(Histogram histogram, double percentile) {
        return histogram.getValueAtPercentile(percentile) / NS_PER_MS;
    }
}
