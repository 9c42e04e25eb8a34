package dev.tidestream.loadtest.plan;

import java.util.random.RandomGenerator;

/** How long prompts or outputs are, in tokens: {@code 64}, {@code uniform:16-256} or {@code normal:128,32}. */
public sealed interface Lengths {

    /** The next length, at least 1. */
    int next(RandomGenerator random);

    record Constant(int tokens) implements Lengths {
        public Constant {
            atLeastOne(tokens);
        }

        @Override
        public int next(RandomGenerator random) {
            return tokens;
        }

        @Override
        public String toString() {
            return String.valueOf(tokens);
        }
    }

    /** Both ends included. */
    record Uniform(int min, int max) implements Lengths {
        public Uniform {
            atLeastOne(min);
            if (max < min) {
                throw new IllegalArgumentException("the range is empty: min=" + min + ", max=" + max);
            }
        }

        @Override
        public int next(RandomGenerator random) {
            return random.nextInt(min, max + 1);
        }

        @Override
        public String toString() {
            return "uniform:" + min + "-" + max;
        }
    }

    /** Rounded, and drawn up to 1 if it falls below. */
    record Normal(double mean, double deviation) implements Lengths {
        public Normal {
            if (!(mean >= 1) || !(deviation >= 0)) {
                throw new IllegalArgumentException(
                        "mean must be at least 1, deviation at least 0: mean=" + mean + ", deviation=" + deviation);
            }
        }

        @Override
        public int next(RandomGenerator random) {
            return (int) Math.max(1, Math.round(random.nextGaussian(mean, deviation)));
        }

        @Override
        public String toString() {
            return "normal:" + Times.number(mean) + "," + Times.number(deviation);
        }
    }

    /** @throws IllegalArgumentException if it is none of the three forms */
    static Lengths parse(String text) {
        try {
            if (text.startsWith("uniform:")) {
                String[] ends = text.substring("uniform:".length()).split("-", 2);
                return new Uniform(Integer.parseInt(ends[0].strip()), Integer.parseInt(ends[1].strip()));
            }
            if (text.startsWith("normal:")) {
                String[] parts = text.substring("normal:".length()).split(",", 2);
                return new Normal(Double.parseDouble(parts[0].strip()), Double.parseDouble(parts[1].strip()));
            }
            return new Constant(Integer.parseInt(text.strip()));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("not N, uniform:MIN-MAX or normal:MEAN,DEVIATION: " + text, e);
        }
    }

    private static void atLeastOne(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("a length must be at least 1: " + tokens);
        }
    }
}
