package dev.tidestream.loadtest.plan;

import java.util.random.RandomGenerator;

/** When requests start. */
public sealed interface Arrivals {

    /** How the level goes over the measured window. */
    Profile profile();

    /** The same kind at another level, which stays. */
    Arrivals atLevel(double level);

    /** A level, for people. */
    String text(double level);

    /** The whole, for people: {@code 4 streams}, {@code 1 to 8 req/s}. */
    default String text() {
        Profile profile = profile();
        if (profile.isConstant()) {
            return text(profile.first());
        }
        return number(profile.first()) + " to " + text(profile.pieces().getLast().to());
    }

    /** Closed loop: so many streams at any time; the next starts when one ends. */
    record Closed(Profile profile) implements Arrivals {
        public Closed {
            for (Profile.Piece piece : profile.pieces()) {
                if (Math.min(piece.from(), piece.to()) < 1) {
                    throw new IllegalArgumentException("concurrency must be at least 1: " + piece.from() + " to " + piece.to());
                }
            }
        }

        @Override
        public Closed atLevel(double level) {
            return new Closed(Profile.constant(Math.rint(level)));
        }

        @Override
        public String text(double level) {
            return number(level) + (level == 1 ? " stream" : " streams");
        }
    }

    /** Open loop: requests come at a rate, whether or not earlier ones have ended. */
    record Open(Profile profile, boolean poisson) implements Arrivals {
        @Override
        public Open atLevel(double level) {
            return new Open(Profile.constant(level), poisson);
        }

        @Override
        public String text(double level) {
            return number(level) + " req/s";
        }

        /**
         * When the next one is due, in seconds since the window opened.
         *
         * @param atS when the one before was
         */
        public double after(double atS, double windowS, RandomGenerator random) {
            return profile.after(atS, poisson ? random.nextExponential() : 1, windowS);
        }
    }

    private static String number(double level) {
        return Times.number(Math.round(level * 100) / 100.0);
    }
}
