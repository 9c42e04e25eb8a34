package dev.tidestream.loadtest.plan;

/**
 * What a good request is: {@code ttft=500ms,itl=50ms,e2e=10s}, each optional. Infinity where nothing is demanded.
 *
 * @param ttftMs most milliseconds to the first token
 * @param itlMs most milliseconds between two tokens, as the mean of one request (its TPOT)
 * @param e2eMs most milliseconds to the end
 */
public record Slo(double ttftMs, double itlMs, double e2eMs) {
    /** Demands nothing. */
    public static final Slo NONE =
            new Slo(Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY);

    /** Whether a request that came to its end is good; what it does not have (a gap, with one token) is passed as 0. */
    public boolean met(double ttft, double tpot, double e2e) {
        return ttft <= ttftMs && tpot <= itlMs && e2e <= e2eMs;
    }

    /** @throws IllegalArgumentException if a name is unknown or a value no duration */
    public static Slo parse(String text) {
        double ttft = NONE.ttftMs;
        double itl = NONE.itlMs;
        double e2e = NONE.e2eMs;
        for (String part : text.split(",", -1)) {
            String[] pair = part.split("=", 2);
            if (pair.length < 2) {
                throw new IllegalArgumentException("not NAME=DURATION: " + part);
            }
            double ms = Times.parse(pair[1]).toNanos() / 1e6;
            switch (pair[0].strip()) {
                case "ttft" -> ttft = ms;
                case "itl", "tpot" -> itl = ms;
                case "e2e" -> e2e = ms;
                default -> throw new IllegalArgumentException("an SLO is of ttft, itl or e2e: " + part);
            }
        }
        return new Slo(ttft, itl, e2e);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        append(text, "ttft", ttftMs);
        append(text, "itl", itlMs);
        append(text, "e2e", e2eMs);
        return text.isEmpty() ? "none" : text.toString();
    }

    private static void append(StringBuilder text, String name, double ms) {
        if (Double.isFinite(ms)) {
            text.append(text.isEmpty() ? "" : ",").append(name).append('=').append(Times.number(ms)).append("ms");
        }
    }
}
