package dev.tidestream.server.bench.cluster;

/**
 * How long a step takes on a worker: measured with {@code bench}, a Llama-3.2-1B shape in Q4_0, 2 threads; docs/performance.md has the
 * figures. Between measured numbers of rows it is interpolated.
 */
public enum Machine {
    /** 2 cores of a Zen 5 server: 64.2, 200.3 and 337.5 tokens/s of 1, 4 and 16 streams, 593.1 of a prompt in passes of 128 rows. */
    AVX512(new double[] {1000 / 64.2, 4000 / 200.3, 16_000 / 337.5, 128_000 / 593.1}, 1.0),
    /** 2 cores of a Zen 3 server: 32.9, 75 and 107, and 198.4. */
    AVX2(new double[] {1000 / 32.9, 4000 / 75.0, 16_000 / 107.0, 128_000 / 198.4}, 1.2);

    private static final double[] ROWS = {1, 4, 16, 128};
    private static final double NS_PER_MS = 1e6;
    private static final double NS_PER_US = 1e3;

    @SuppressWarnings("ImmutableEnumChecker") // nobody changes them
    private final double[] ms; // of so many ROWS
    private final double usPerPosition; // of a row that decodes: its keys and values, read once, 32 KiB each

    Machine(double[] ms, double usPerPosition) {
        this.ms = ms;
        this.usPerPosition = usPerPosition;
    }

    /** Most rows of a pass. */
    public int maxRows() {
        return (int) ROWS[ROWS.length - 1];
    }

    /**
     * Nanoseconds of a pass.
     *
     * @param rows of all its streams together, at least 1
     * @param positions that its decoding rows see, together
     */
    public long stepNs(int rows, long positions) {
        int at = 1;
        while (at < ROWS.length - 1 && rows > ROWS[at]) {
            at++;
        }
        double part = (rows - ROWS[at - 1]) / (ROWS[at] - ROWS[at - 1]);
        double measured = ms[at - 1] + part * (ms[at] - ms[at - 1]);
        return Math.round(measured * NS_PER_MS + positions * usPerPosition * NS_PER_US);
    }
}
