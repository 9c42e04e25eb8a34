package dev.tidestream.loadtest.plan;

/**
 * What an administrator does during the run.
 *
 * @param updatesPerS weight updates begun per second, one at a time; 0 for none
 * @param togglesPerS changes of the head's mode begun per second, one at a time; 0 for none
 * @param rows of token_embd.weight that an update replaces
 */
public record AdminTraffic(double updatesPerS, double togglesPerS, int rows) {
    public static final AdminTraffic NONE = new AdminTraffic(0, 0, 1);

    public AdminTraffic {
        if (!(updatesPerS >= 0 && togglesPerS >= 0) || rows < 1) {
            throw new IllegalArgumentException("rates must be at least 0, rows at least 1: updates=" + updatesPerS
                    + ", toggles=" + togglesPerS + ", rows=" + rows);
        }
    }

    public boolean any() {
        return updatesPerS > 0 || togglesPerS > 0;
    }
}
