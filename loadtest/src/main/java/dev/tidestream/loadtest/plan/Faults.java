package dev.tidestream.loadtest.plan;

import java.time.Duration;

/**
 * Shares of the streams, each in [0, 1], that misbehave, and how often a worker of the server is killed:
 * {@code vanish=0.05,cancel=0.1,slow=0.05,kill-worker=10s}.
 *
 * @param vanish the client's connection breaks off without a word in the middle of the stream; its other streams go with it
 * @param cancel the client cancels in the middle
 * @param slow the client stops reading its socket for {@link #SLOW_MS} in the middle, then reads on
 * @param resume the client's connection breaks off likewise, and the client goes on with the stream on another one
 * @param killEvery from the beginning of the measured window to the first kill, and between two; zero: nobody is killed
 */
public record Faults(double vanish, double cancel, double slow, double resume, Duration killEvery) {
    /** Everybody behaves. */
    public static final Faults NONE = new Faults(0, 0, 0, 0, Duration.ZERO);
    /** How long a slow client does not read, in milliseconds. */
    public static final long SLOW_MS = 1000;

    private static final Duration LEAST_BETWEEN_KILLS = Duration.ofMillis(100);

    public Faults {
        if (!(vanish >= 0 && cancel >= 0 && slow >= 0 && resume >= 0 && vanish + cancel + slow + resume <= 1)) {
            throw new IllegalArgumentException("shares must be at least 0 and at most 1 together: vanish=" + vanish
                    + ", cancel=" + cancel + ", slow=" + slow + ", resume=" + resume);
        }
    }

    /** Nobody is killed. */
    public Faults(double vanish, double cancel, double slow, double resume) {
        this(vanish, cancel, slow, resume, Duration.ZERO);
    }

    /** Whether workers are killed. */
    public boolean kills() {
        return !killEvery.isZero();
    }

    /** @throws IllegalArgumentException if a name is unknown, or a value no share or no duration */
    public static Faults parse(String text) {
        double vanish = 0;
        double cancel = 0;
        double slow = 0;
        double resume = 0;
        Duration killEvery = Duration.ZERO;
        for (String part : text.split(",", -1)) {
            String[] pair = part.split("=", 2);
            if (pair.length < 2) {
                throw new IllegalArgumentException("not NAME=SHARE: " + part);
            }
            switch (pair[0].strip()) {
                case "vanish" -> vanish = share(pair[1]);
                case "cancel" -> cancel = share(pair[1]);
                case "slow" -> slow = share(pair[1]);
                case "resume" -> resume = share(pair[1]);
                case "kill-worker" -> killEvery = every(pair[1]);
                default -> throw new IllegalArgumentException("a fault is vanish, cancel, slow, resume or kill-worker: " + part);
            }
        }
        return new Faults(vanish, cancel, slow, resume, killEvery);
    }

    private static Duration every(String text) {
        Duration every = Times.parse(text);
        if (every.compareTo(LEAST_BETWEEN_KILLS) < 0) {
            throw new IllegalArgumentException("kill-worker must be at least %s: %s".formatted(Times.text(LEAST_BETWEEN_KILLS), text));
        }
        return every;
    }

    private static double share(String text) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a share: " + text, e);
        }
    }
}
