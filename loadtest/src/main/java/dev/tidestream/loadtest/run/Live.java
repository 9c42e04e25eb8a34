package dev.tidestream.loadtest.run;

/**
 * Where a run is, for people who wait.
 *
 * @param phase connecting, warm-up, measuring or draining
 * @param done share of the whole run, in [0, 1]
 * @param ttftP50Ms of the measured part so far
 */
public record Live(
        String phase, double done, double tokensPerS, int running, int connections, long finished, double ttftP50Ms,
                double ttftP99Ms,
        long breaches) {

    /** Told several times a second, by the I/O thread; must be quick and must not throw. */
    public interface Listener {
        void at(Live live);
    }
}
