package dev.tidestream.loadtest.figures;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The figures that runs are compared by. */
@SuppressWarnings("ImmutableEnumChecker") // functions without state
public enum Figure {
    TOKENS_PER_S("output tokens/s", true),
    STREAM_TOKENS_PER_S("tokens/s per stream", true),
    REQUESTS_PER_S("requests/s", true),
    TTFT_P50("TTFT p50, ms", false),
    TTFT_P99("TTFT p99, ms", false),
    ITL_P50("inter-token p50, ms", false),
    ITL_P99("inter-token p99, ms", false),
    E2E_P50("end to end p50, ms", false),
    E2E_P99("end to end p99, ms", false),
    GOOD_SHARE("good share", true),
    FAILED("failed requests", false);

    private static final int FEWEST_PARTS = 4;

    private final String title;
    private final boolean moreIsBetter;

    Figure(String title, boolean moreIsBetter) {
        this.title = title;
        this.moreIsBetter = moreIsBetter;
    }

    /** For people. */
    public String title() {
        return title;
    }

    public boolean moreIsBetter() {
        return moreIsBetter;
    }

    public double of(Figures f) {
        return switch (this) {
            case TOKENS_PER_S -> f.tokensPerS();
            case STREAM_TOKENS_PER_S -> f.streamTokensPerS();
            case REQUESTS_PER_S -> f.requestsPerS();
            case TTFT_P50 -> f.ttft().p50();
            case TTFT_P99 -> f.ttft().p99();
            case ITL_P50 -> f.itl().p50();
            case ITL_P99 -> f.itl().p99();
            case E2E_P50 -> f.e2e().p50();
            case E2E_P99 -> f.e2e().p99();
            case GOOD_SHARE -> f.goodShare();
            case FAILED -> f.failed();
        };
    }

    /** Whether there was anything to measure: a latency of nothing is no latency of 0. */
    public boolean isKnown(Figures f) {
        return switch (this) {
            case TOKENS_PER_S, REQUESTS_PER_S, FAILED -> true;
            case STREAM_TOKENS_PER_S -> f.tpot().count() > 0;
            case TTFT_P50, TTFT_P99 -> f.ttft().count() > 0;
            case ITL_P50, ITL_P99 -> f.itl().count() > 0;
            case E2E_P50, E2E_P99 -> f.e2e().count() > 0;
            case GOOD_SHARE -> f.requests() > 0;
        };
    }

    /**
     * The standard errors of a run's figures, from how they differ between parts of it ("batch means"; Law, "Simulation
     * Modeling and Analysis", ch. 9). Neighbouring values of a run hang together, so their own spread would promise too much.
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
