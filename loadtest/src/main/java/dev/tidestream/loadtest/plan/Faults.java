package dev.tidestream.loadtest.plan;

/**
 * Shares of the streams, each in [0, 1], that misbehave: {@code vanish=0.05,cancel=0.1,slow=0.05}.
 *
 * @param vanish the client's connection breaks off without a word in the middle of the stream; its other streams go with it
 * @param cancel the client cancels in the middle
 * @param slow the client stops reading its socket for {@link #SLOW_MS} in the middle, then reads on
 * @param resume the client's connection breaks off likewise, and the client goes on with the stream on another one
 */
public record Faults(double vanish, double cancel, double slow, double resume) {
    /** Everybody behaves. */
    public static final Faults NONE = new Faults(0, 0, 0, 0);
    /** How long a slow client does not read, in milliseconds. */
    public static final long SLOW_MS = 1000;

    public Faults {
        if (!(vanish >= 0 && cancel >= 0 && slow >= 0 && resume >= 0 && vanish + cancel + slow + resume <= 1)) {
            throw new IllegalArgumentException("shares must be at least 0 and at most 1 together: vanish=" + vanish
                    + ", cancel=" + cancel + ", slow=" + slow + ", resume=" + resume);
        }
    }

    /** @throws IllegalArgumentException if a name is unknown or a value no share */
    public static Faults parse(String text) {
        double vanish = 0;
        double cancel = 0;
        double slow = 0;
        double resume = 0;
        for (String part : text.split(",", -1)) {
            String[] pair = part.split("=", 2);
            if (pair.length < 2) {
                throw new IllegalArgumentException("not NAME=SHARE: " + part);
            }
            double share = share(pair[1]);
            switch (pair[0].strip()) {
                case "vanish" -> vanish = share;
                case "cancel" -> cancel = share;
                case "slow" -> slow = share;
                case "resume" -> resume = share;
                default -> throw new IllegalArgumentException("a fault is vanish, cancel, slow or resume: " + part);
            }
        }
        return new Faults(vanish, cancel, slow, resume);
    }

    private static double share(String text) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("not a share: " + text, e);
        }
    }
}
