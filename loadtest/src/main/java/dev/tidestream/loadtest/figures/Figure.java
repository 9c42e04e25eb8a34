package dev.tidestream.loadtest.figures;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** The figures that runs are compared by. */
@SuppressWarnings("ImmutableEnumChecker") // functions without state
public enum Figure {
    TOKENS_PER_S("output tokens/s", true, Figures::tokensPerS, f -> 1),
    STREAM_TOKENS_PER_S("tokens/s per stream", true, Figures::streamTokensPerS, f -> f.tpot().count()),
    REQUESTS_PER_S("requests/s", true, Figures::requestsPerS, f -> 1),
    TTFT_P50("TTFT p50, ms", false, f -> f.ttft().p50(), f -> f.ttft().count()),
    TTFT_P99("TTFT p99, ms", false, f -> f.ttft().p99(), f -> f.ttft().count()),
    ITL_P50("inter-token p50, ms", false, f -> f.itl().p50(), f -> f.itl().count()),
    ITL_P99("inter-token p99, ms", false, f -> f.itl().p99(), f -> f.itl().count()),
    E2E_P50("end to end p50, ms", false, f -> f.e2e().p50(), f -> f.e2e().count()),
    E2E_P99("end to end p99, ms", false, f -> f.e2e().p99(), f -> f.e2e().count()),
    GOOD_SHARE("good share", true, Figures::goodShare, Figures::requests),
    FAILED("failed requests", false, Figures::failed, f -> 1);

    private static final int FEWEST_PARTS = 4;

    private final String title;
    private final boolean moreIsBetter;
    private final ToDoubleFunction<Figures> value;
    private final ToLongFunction<Figures> count;

    Figure(String title, boolean moreIsBetter, ToDoubleFunction<Figures> value, ToLongFunction<Figures> count) {
        this.title = title;
        this.moreIsBetter = moreIsBetter;
        this.value = value;
        this.count = count;
    }

    /** For people. */
    public String title() {
        return title;
    }

    public boolean moreIsBetter() {
        return moreIsBetter;
    }

    public double of(Figures figures) {
        return value.applyAsDouble(figures);
    }

    /** Whether there was anything to measure: a latency of nothing is no latency of 0. */
    public boolean isKnown(Figures figures) {
        return count.applyAsLong(figures) > 0;
    }

    /**
     * The standard errors of a run's figures, from how they differ between parts of it ("batch means"; Law, "Simulation Modeling and
     * Analysis", ch. 9). Neighbouring values of a run hang together, so their own spread would promise too much.
     *
     * @param parts of equal length
     * @return by figure; without those that too few parts know
     */
    public static Map<Figure, Double> noise(List<Figures> parts) {
        Map<Figure, Double> noise = new EnumMap<>(Figure.class);
        for (Figure figure : values()) {
            double[] of = parts.stream().filter(figure::isKnown).mapToDouble(figure::of).toArray();
            if (of.length >= FEWEST_PARTS) {
                noise.put(figure, standardError(of));
            }
        }
        return noise;
    }

    private static double standardError(double[] values) {
        double mean = 0;
        for (double value : values) {
            mean += value / values.length;
        }
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        return Math.sqrt(squares / (values.length - 1) / values.length);
    }
}
