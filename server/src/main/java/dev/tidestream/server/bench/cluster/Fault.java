package dev.tidestream.server.bench.cluster;

/**
 * A rack goes dark: a third of the workers, at once, without a word.
 *
 * @param atS seconds after the measured time begins
 * @param detectS until gateways take them for dead
 * @param backS from when it went dark until its workers begin anew, with nothing computed
 */
public record Fault(double atS, double detectS, double backS) {
    static final int RACKS = 3;

    /** Checks. */
    public Fault {
        if (!(atS >= 0 && detectS >= 0 && backS > detectS)) {
            throw new IllegalArgumentException("a rack comes back after it was missed: at_s=%s, detect_s=%s, back_s=%s"
                    .formatted(atS, detectS, backS));
        }
    }
}
