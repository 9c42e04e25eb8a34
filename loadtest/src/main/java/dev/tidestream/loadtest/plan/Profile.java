package dev.tidestream.loadtest.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * How much load there is over the measured window, as streams or as requests per second: {@code 8}, {@code ramp:1-16} (evenly
 * from one to the other) or {@code steps:1,2,4,8} (each for an equal share of the time). Before the window the first level holds.
 *
 * @param pieces each holds for an equal share of the window
 */
public record Profile(List<Piece> pieces) {
    private static final int RAMP_STAGES = 8;

    /** The level goes evenly {@code from} here {@code to} there. */
    public record Piece(double from, double to) {}

    public Profile {
        pieces = List.copyOf(pieces);
        if (pieces.isEmpty()) {
            throw new IllegalArgumentException("a load without levels");
        }
        for (Piece piece : pieces) {
            if (!(piece.from() > 0 && piece.to() > 0) || Double.isInfinite(Math.max(piece.from(), piece.to()))) {
                throw new IllegalArgumentException("the load must be above 0: " + piece.from() + " to " + piece.to());
            }
        }
    }

    public static Profile constant(double level) {
        return new Profile(List.of(new Piece(level, level)));
    }

    /** @throws IllegalArgumentException if it is none of the three forms */
    public static Profile parse(String text) {
        try {
            if (text.startsWith("ramp:")) {
                String[] ends = text.substring("ramp:".length()).split("-", 2);
                return new Profile(List.of(new Piece(Double.parseDouble(ends[0]), Double.parseDouble(ends[1]))));
            }
            if (text.startsWith("steps:")) {
                List<Piece> pieces = new ArrayList<>();
                for (String level : text.substring("steps:".length()).split(",", -1)) {
                    pieces.add(new Piece(Double.parseDouble(level), Double.parseDouble(level)));
                }
                return new Profile(pieces);
            }
            return constant(Double.parseDouble(text));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("not N, ramp:FROM-TO or steps:N,N,…: " + text, e);
        }
    }

    /** Whether it never changes. */
    public boolean isConstant() {
        return pieces.stream().allMatch(piece -> piece.from() == first() && piece.to() == first());
    }

    public double first() {
        return pieces.getFirst().from();
    }

    public double highest() {
        return pieces.stream().mapToDouble(piece -> Math.max(piece.from(), piece.to())).max().orElseThrow();
    }

    /** @param share of the window that has passed; below 0 and above 1 the ends hold */
    public double at(double share) {
        int index = Math.clamp((long) Math.floor(share * pieces.size()), 0, pieces.size() - 1);
        Piece piece = pieces.get(index);
        double within = Math.clamp(share * pieces.size() - index, 0, 1);
        return piece.from() + (piece.to() - piece.from()) * within;
    }

    /**
     * When the next arrival is due, if the level is a rate.
     *
     * @param atS seconds since the window opened, negative before it
     * @param arrivals to wait for, a number above 0: 1 for even arrivals, exponentially distributed for a Poisson process
     * @param windowS length of the window
     * @return seconds since the window opened
     */
    public double after(double atS, double arrivals, double windowS) {
        double now = atS;
        double left = arrivals;
        double pieceS = windowS / pieces.size();
        for (int i = -1; i < pieces.size(); i++) { // -1: what comes before the window
            double untilS = (i + 1) * pieceS;
            if (now < untilS) {
                double slope = i < 0 ? 0 : (pieces.get(i).to() - pieces.get(i).from()) / pieceS;
                double rate = i < 0 ? first() : at(now / windowS);
                double length = untilS - now;
                double due = length * (rate + slope * length / 2);
                if (due >= left) {
                    return now + wait(left, rate, slope);
                }
                left -= due;
                now = untilS;
            }
        }
        return now + left / pieces.getLast().to();
    }

    /** Where {@code rate t + slope t^2 / 2} reaches {@code arrivals}, without the cancellation of the school formula. */
    private static double wait(double arrivals, double rate, double slope) {
        return 2 * arrivals / (rate + Math.sqrt(Math.max(0, rate * rate + 2 * slope * arrivals)));
    }

    /** The parts of the window that are worth figures of their own; one if the level never changes. */
    public int stages() {
        return isConstant() ? 1 : pieces.size() > 1 ? pieces.size() : RAMP_STAGES;
    }
}
