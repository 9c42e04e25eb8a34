package dev.tidestream.loadtest.plan;

import java.util.random.RandomGenerator;

/** When requests start. */
public sealed interface Arrivals {

    /** The number that a sweep varies. */
    double level();

    /** The same kind at another level. */
    Arrivals atLevel(double level);

    /** Closed loop: so many streams at any time; the next starts when one ends. */
    record Closed(int concurrency) implements Arrivals {
        public Closed {
            if (concurrency < 1) {
                throw new IllegalArgumentException("concurrency must be at least 1: " + concurrency);
            }
        }

        @Override
        public double level() {
            return concurrency;
        }

        @Override
        public Closed atLevel(double level) {
            return new Closed((int) Math.round(level));
        }
    }

    /** Open loop: requests come at a rate, whether or not earlier ones have ended. */
    record Open(double ratePerS, boolean poisson) implements Arrivals {
        public Open {
            if (!(ratePerS > 0)) {
                throw new IllegalArgumentException("rate must be above 0 per second: " + ratePerS);
            }
        }

        @Override
        public double level() {
            return ratePerS;
        }

        @Override
        public Open atLevel(double level) {
            return new Open(level, poisson);
        }

        /** Nanoseconds from one arrival to the next. */
        public double gapNs(RandomGenerator random) {
            return (poisson ? random.nextExponential() : 1) * 1e9 / ratePerS;
        }
    }
}
