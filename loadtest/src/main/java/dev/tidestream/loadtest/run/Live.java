package dev.tidestream.loadtest.run;

/**
 * Where a run is, for people who wait.
 *
 * @param label which run of several; may be empty
 * @param phase starting, connecting, warm-up, measuring or draining
 * @param done share of the whole run, in [0, 1]
 * @param ttftP50Ms of the measured part so far
 */
public record Live(
        String label, String phase, double done, double tokensPerS, int running, int connections, long finished,
        double ttftP50Ms, double ttftP99Ms, long breaches) {

    /** Nothing has come yet. */
    public static Live of(String phase, int connections) {
        return new Live("", phase, 0, 0, 0, connections, 0, 0, 0, 0);
    }

    public Live withLabel(String text) {
        return new Live(text, phase, done, tokensPerS, running, connections, finished, ttftP50Ms, ttftP99Ms, breaches);
    }

    /** Told several times a second, by the I/O thread; must be quick and must not throw. */
    public interface Listener {
        void at(Live live);
    }
}
